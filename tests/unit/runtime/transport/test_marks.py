"""The marks of a journal, made up late, are those that noting each record would have made."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from himari_runtime.messages import RENUMBERED_IDS, Channel, Gap, Kind, Mark, Reason, Record, Route, mark_key, stream_of
from himari_runtime.transport.accounts import Accounts
from himari_runtime.transport.marks import Batch, Marks, mark_of, note

IDS = st.integers(0, 40) | st.integers(0, 40).map(lambda number: number + 2 * RENUMBERED_IDS)
PLACES = st.builds(Route, st.sampled_from(["a", "b"]), st.just("BTC/USDT"), st.just(Channel.TRADE), st.just(0), IDS)


def route(record: Record) -> Route:
    """Payloads are `stream id`."""
    stream, number = record.payload.decode().split()
    return Route(stream, "BTC/USDT", Channel.TRADE, int(number), int(number))


@given(st.lists(st.lists(PLACES, min_size=1, max_size=6), max_size=6), st.booleans(), st.booleans())
def test_late_marks_are_the_same(batches: list[list[Route]], placed: bool, asked_between: bool) -> None:
    marks, expected, n = Marks({}, route, Accounts((), {}, {})), dict[str, Mark](), 1
    for batch in batches:
        payloads = [f"{place.stream} {place.last_id}".encode() for place in batch]
        marks.append(Batch(1, n, 0, 0, n, n, payloads))
        if placed:
            marks.place(n, batch)
        for number, (place, payload) in enumerate(zip(batch, payloads, strict=True), n):
            record = Record(1, number, 0, 0, n, n, payload)
            note(expected, mark_key(place.stream, place.channel), mark_of(record, place))
        n += len(batch)
        assert not asked_between or marks.all() == expected
    assert marks.all() == expected


STREAM = stream_of("toy", "BTC/USDT", Channel.TRADE)


def marks_of(*numbers: int) -> Marks:
    """Of a journal that holds these trades and has not been asked for its marks."""
    marks = Marks({}, route, Accounts({Channel.TRADE}, {}, {}))
    for n, number in enumerate(numbers, 1):
        marks.append(Batch(1, n, Kind.FRAME, 0, n, n, [f"{STREAM} {number}".encode()]))
    return marks


def test_what_is_behind_a_hole_waits() -> None:
    (waiting,) = marks_of(1, 2, 5, 6).waiting.values()
    assert (waiting.last.last_id, [event.first_id for event in waiting.held]) == (2, [5, 6])


def test_nothing_waits_once_a_gap_tells_of_the_hole() -> None:
    marks = marks_of(1, 2, 5, 6)
    marks.append(Batch(1, 5, Kind.GAP, 0, 5, 5, [msgspec.json.encode(gap(2, 5))]))
    marks.place(5, [Route(STREAM, "BTC/USDT", Channel.GAP)])
    assert marks.waiting == {}


def gap(after: int, before: int) -> Gap:
    return Gap(
        venue="toy",
        symbol="BTC/USDT",
        channel=Channel.TRADE,
        after_id=after,
        before_id=before,
        after_ns=0,
        before_ns=0,
        reason=Reason.SEQUENCE,
    )
