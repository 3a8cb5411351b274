"""The marks of a journal, made up late, are those that noting each record would have made."""

from hypothesis import given
from hypothesis import strategies as st

from himari_runtime.messages import RENUMBERED_IDS, Channel, Mark, Record, Route, mark_key
from himari_runtime.transport.marks import Batch, Marks, mark_of, note

IDS = st.integers(0, 40) | st.integers(0, 40).map(lambda number: number + 2 * RENUMBERED_IDS)
PLACES = st.builds(Route, st.sampled_from(["a", "b"]), st.just("BTC/USDT"), st.just(Channel.TRADE), st.just(0), IDS)


def route(record: Record) -> Route:
    """Payloads are `stream id`."""
    stream, number = record.payload.decode().split()
    return Route(stream, "BTC/USDT", Channel.TRADE, int(number), int(number))


@given(st.lists(st.lists(PLACES, min_size=1, max_size=6), max_size=6), st.booleans(), st.booleans())
def test_late_marks_are_the_same(batches: list[list[Route]], placed: bool, asked_between: bool) -> None:
    marks, expected, n = Marks({}, route), dict[str, Mark](), 1
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
