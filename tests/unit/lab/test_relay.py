"""The delay line: in order, not early, complete, bounded; nothing here touches the machine."""

from hypothesis import given
from hypothesis import strategies as st

from himari.lab import latency, relay
from himari.lab.identity import Lab
from himari.lab.relay import Line

DETOUR, DIRECT = bytes((relay.DETOUR,)), bytes((relay.DIRECT,))


@given(st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=60, max_size=80)), max_size=30), st.floats(0.001, 5))
def test_every_frame_comes_out_once_in_order_and_never_early(sent: list[tuple[float, bytes]], seconds: float) -> None:
    line, now, entered, left = Line(seconds), 0.0, [], []
    for pause, body in sent:
        now += pause
        left += [(now, frame) for frame in line.due(now)]
        line.take(DETOUR + body, now)
        entered.append((now, DIRECT + body))
    while (wait := line.wait(now)) is not None:
        now += wait
        left += [(now, frame) for frame in line.due(now)]
    assert [frame for _, frame in left] == [frame for _, frame in entered]
    assert all(out >= came + seconds for (out, _), (came, _) in zip(left, entered, strict=True))


def test_a_broadcast_is_not_put_back() -> None:
    line = Line(0)
    line.take(b"\xff" * 60, 0)
    assert (line.due(1), line.wait(1)) == ([], None)


def test_what_is_held_is_bounded_and_room_comes_back() -> None:
    line, frame = Line(1), DETOUR + bytes(999_999)
    for _ in range(100):
        line.take(frame, 0)
    assert len(line.due(2)) == relay.HELD_BYTES // len(frame)
    line.take(frame, 2)
    assert len(line.due(4)) == 1


def test_a_tap_is_told_from_a_cable_and_the_bridge() -> None:
    lab = Lab("hm-0a1b2c")
    names = (lab.bridge, lab.link(10), lab.link(250), f"{lab.id}-0a0b")
    assert [bool(latency.TAP.fullmatch(name)) for name in names] == [False, False, False, True]
