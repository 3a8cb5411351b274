"""What tc says of the classes of a cable."""

from himari.lab.shaping import passed

LISTED = """\
class htb 1:a root leaf a0: prio 0 rate 800Kbit ceil 800Kbit burst 1600b cburst 1600b
 Sent 4100 bytes 41 pkt (dropped 0, overlimits 3 requeues 0)
 backlog 0b 0p requeues 0
 lended: 41 borrowed: 0 giants: 0

class htb 1:f9 root prio 0 rate 8Mbit ceil 8Mbit burst 1600b cburst 1600b
 Sent 0 bytes 0 pkt (dropped 0, overlimits 0 requeues 0)
"""


def test_each_class_tells_how_many_frames_it_passed_on() -> None:
    assert passed(LISTED) == {"a": 41, "f9": 0}
    assert passed("") == {}
