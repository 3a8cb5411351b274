"""What hosts' tools print, as they print it, becomes values."""

from himari.proof import readings
from himari.proof.readings import AclUser, Socket, TunnelPeer

SS = """\
udp   UNCONN 0      0              0.0.0.0:51820      0.0.0.0:*
tcp   LISTEN 0      511          127.0.0.1:6379       0.0.0.0:*    users:(("redis-server",pid=212,fd=7))
tcp   LISTEN 0      128               [::]:22            [::]:*    users:(("sshd",pid=90,fd=4))
tcp   LISTEN 0      4096 [::ffff:10.77.0.3]:7687            *:*    users:(("java",pid=300,fd=9))
tcp   LISTEN 0      4096     127.0.0.53%lo:53         0.0.0.0:*    users:(("systemd-resolve",pid=60,fd=13))
"""


def test_listeners_have_protocol_address_port_and_process() -> None:
    assert readings.sockets(SS) == [
        Socket("tcp", "*", 22, "sshd"),
        Socket("tcp", "10.77.0.3", 7687, "java"),
        Socket("tcp", "127.0.0.1", 6379, "redis-server"),
        Socket("tcp", "127.0.0.53", 53, "systemd-resolve"),
        Socket("udp", "*", 51820, ""),
    ]


def test_units_are_told_apart_by_blank_lines() -> None:
    text = "Id=a.service\nActiveState=active\nIPAddressAllow=10.0.0.0/8 ::1/128\n\nId=b.timer\nActiveState=failed\n"
    units = readings.units(text)
    assert units["a.service"]["IPAddressAllow"] == "10.0.0.0/8 ::1/128"
    assert units["b.timer"]["ActiveState"] == "failed"


def test_a_units_exposure_is_a_number_and_what_has_none_is_left_out() -> None:
    text = (
        '[{"set":true,"name":"PrivateNetwork=","exposure":"0.5"}]\n\n'
        '[{"unit":"a.service","exposure":"1.6","predicate":"OK"},{"unit":"b.service","exposure":""}]\n'
    )
    assert readings.exposures(text) == {"a.service": 1.6}
    assert readings.exposures("") == {}


def test_repeated_sshd_directives_are_joined() -> None:
    text = "port 22\npasswordauthentication no\nAcceptEnv LANG\nacceptenv LC_*\n"
    assert readings.directives(text) == {"port": "22", "passwordauthentication": "no", "acceptenv": "LANG LC_*"}


def test_only_installed_packages_count() -> None:
    assert readings.packages("redis-server\t7.0.15\tinstalled\nold\t1\tconfig-files\n") == {"redis-server": "7.0.15"}


def test_apt_lists_are_gathered_under_their_name() -> None:
    text = 'U::Origins "";\nU::Origins:: "Debian-Security";\nU::Origins:: "Debian-Security-Updates";\nP::Daily "1";\n'
    settings = readings.apt_settings(text)
    assert settings["U::Origins"] == ("Debian-Security", "Debian-Security-Updates")
    assert settings["P::Daily"] == ("1",)


def test_a_tunnels_peers_have_ages_and_one_never_seen_has_none() -> None:
    dump = (
        "wg0\t\tPUB\t51820\toff\n"
        "wg0\tPEER1\t\t10.91.0.3:40000\t10.77.0.2/32\t1000\t512\t1024\t25\n"
        "wg0\tPEER2\t\t(none)\t10.77.0.3/32\t0\t0\t0\toff"
    )
    tunnel = readings.tunnels(dump, 1007)["wg0"]
    assert tunnel.port == 51820
    assert tunnel.peers == (
        TunnelPeer("PEER1", "10.91.0.3:40000", ("10.77.0.2/32",), 7, 512, 1024, 25),
        TunnelPeer("PEER2", "(none)", ("10.77.0.3/32",), None, 0, 0, 0),
    )


def test_a_clock_that_does_not_answer_has_no_tracking() -> None:
    said = "A29FC87B,162.159.200.123,4,1732180000.1,-0.000012,0.1,0.2,0.3,0.4,0.5,0.6,0.7,64.1,Normal"
    tracking = readings.tracking(said)
    assert tracking is not None
    assert (tracking.stratum, tracking.offset, tracking.leap) == (4, -0.000012, "Normal")
    assert readings.tracking("506 Cannot talk to daemon") is None


def test_limits_are_the_soft_ones() -> None:
    text = "Max open files   10064   20000   files\nMax core file size   unlimited   unlimited   bytes"
    assert readings.limits(text) == {"Max open files": 10064, "Max core file size": None}


def test_an_acl_user_is_read_from_names_and_values_in_turn() -> None:
    reply = ["flags", ["on", "sanitize-payload"], "passwords", ["ab"], "commands", "-@all +xadd +ping", "keys", "~md:*"]
    assert readings.acl_user(reply) == AclUser(("on", "sanitize-payload"), 1, ("-@all", "+xadd", "+ping"), "~md:*")
    assert readings.acl_user(None) is None


def test_a_streams_end_is_length_epoch_and_number() -> None:
    assert readings.stream_end(["length", "7", "last-generated-id", "3-41"]) == (7, 3, 41)
    assert readings.stream_end("-ERR no such key") is None


def test_cpu_lists_have_ranges() -> None:
    assert readings.cpus("0-1,3") == {0, 1, 3}


def test_errors_are_a_units_own_and_systemds_about_it() -> None:
    text = (
        '{"_SYSTEMD_UNIT":"a.service","MESSAGE":"no room"}\n'
        '{"_SYSTEMD_UNIT":"init.scope","UNIT":"a.service","MESSAGE":"Failed"}\n'
        '{"_SYSTEMD_UNIT":"b.service","MESSAGE":"about a.service"}\n'
    )
    assert readings.errors(text, "a.service") == ["no room", "Failed"]
    assert readings.errors("", "a.service") == []


def test_metrics_have_values_and_histograms_shares() -> None:
    text = (
        '# HELP d x\nd_bucket{le="0.25"} 19.0\nd_count 20.0\nup{line="0"} 1.0\ne_bucket{le="0.25"} 0.0\ne_count 0.0\n'
    )
    metrics = readings.metrics(text, 7)
    assert metrics.values['up{line="0"}'] == 1.0
    assert metrics.share_within("d", 0.25) == 0.95
    assert metrics.share_within("e", 0.25) is None


def test_a_ping_has_a_shortest_round_trip() -> None:
    said = "2 packets transmitted, 2 received\nrtt min/avg/max/mdev = 30.196/198.176/366.157/167.980 ms, pipe 2\n"
    assert readings.ping_seconds(said) == 0.030196
    assert readings.ping_seconds("2 packets transmitted, 0 received") is None
