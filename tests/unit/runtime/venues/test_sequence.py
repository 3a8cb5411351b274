"""The tracker reports exactly what is missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from himari_runtime.messages import RENUMBERED_IDS, Reason
from himari_runtime.venues.sequence import HELD_MOST, Event, Missing, Sequence, Stored

LAST = 200


WAIT_NS = 250


def take(sequence: Sequence, first_id: int, last_id: int, at_ns: int) -> Missing | None:
    """What a sequence of one line says is missing before an event."""
    placed = sequence.offer(Event(first_id, last_id, at_ns, at_ns))
    return placed[0].missing if placed else None


def missing_ids(found: list[Missing]) -> list[int]:
    return [number for gap in found if gap.after for number in range(gap.after.last_id + 1, gap.before_id)]


@given(kept=st.sets(st.integers(1, LAST)), repeats=st.integers(1, 3))
def test_reports_exactly_the_missing_trades(kept: set[int], repeats: int) -> None:
    sequence = Sequence(True, Stored(0, 0), None)
    arrivals = [number for number in sorted(kept) for _ in range(repeats)]
    found = [gap for number in arrivals if (gap := take(sequence, number, number, number))]
    assert missing_ids(found) == [number for number in range(1, max(kept, default=0)) if number not in kept]


@given(
    widths=st.lists(st.integers(1, 9), min_size=1, max_size=60),
    dropped=st.sets(st.integers(0, 59)),
)
def test_reports_exactly_the_missing_updates(widths: list[int], dropped: set[int]) -> None:
    sequence = Sequence(True, Stored(0, 0), None)
    found, lost, pending, first = [], [], [], 1
    for index, width in enumerate(widths):
        ids = list(range(first, first + width))
        first += width
        if index in dropped:
            pending += ids
            continue
        gap = take(sequence, ids[0], ids[-1], index)
        found += [gap] if gap else []
        lost, pending = lost + pending, []
    assert missing_ids(found) == lost


@given(order=st.permutations(range(1, 30)))
def test_what_was_not_there_in_time_was_disclosed(order: list[int]) -> None:
    """Of ids in any order, each that came after a greater one lies in a gap that was told before."""
    sequence = Sequence(True, Stored(0, 0), None)
    told: set[int] = set()
    greatest = 0
    for number in order:
        gap = take(sequence, number, number, 0)
        if number < greatest:
            assert gap is None
            assert number in told
        told |= set(missing_ids([gap] if gap else []))
        greatest = max(greatest, number)


def test_a_reconnect_without_a_loss_is_no_gap_of_dense_ids() -> None:
    sequence = Sequence(True, Stored(7, 70), None)
    sequence.interrupt(Reason.RECONNECT)
    assert take(sequence, 8, 8, 80) is None
    assert take(sequence, 10, 10, 100) == Missing(Stored(8, 80), 10, 100, Reason.SEQUENCE)


def test_a_reconnect_is_always_a_gap_where_ids_leave_numbers_out() -> None:
    sequence = Sequence(False, Stored(7, 70), None)
    assert take(sequence, 12, 12, 75) is None
    sequence.interrupt(Reason.RECONNECT)
    assert take(sequence, 12, 12, 78) is None
    assert take(sequence, 13, 13, 80) == Missing(Stored(12, 75), 13, 80, Reason.RECONNECT)
    assert take(sequence, 20, 20, 90) is None


def test_the_first_event_after_a_start_without_a_past_tells_so() -> None:
    assert take(Sequence(True, None, Reason.START), 5, 5, 50) == Missing(None, 5, 50, Reason.START)
    assert take(Sequence(True, None, None), 5, 5, 50) is None


def test_the_first_reason_stands() -> None:
    sequence = Sequence(True, Stored(7, 70), Reason.START)
    sequence.interrupt(Reason.RECONNECT)
    assert take(sequence, 9, 12, 90) == Missing(Stored(7, 70), 9, 90, Reason.START)


def test_an_overlapping_update_is_no_gap() -> None:
    sequence = Sequence(True, Stored(7, 70), None)
    assert take(sequence, 5, 9, 90) is None
    assert sequence.last == Stored(9, 90)


def two_lines(*arrivals: tuple[int, int], expire_ns: int = 10_000) -> tuple[list[int], list[Missing]]:
    """Ids in the order in which they are placed, and what is missing, of (id, time) as they came over two lines."""
    sequence = Sequence(True, Stored(0, 0), None, WAIT_NS)
    placed = []
    for number, at_ns in arrivals:
        placed += sequence.expire(at_ns)
        placed += sequence.offer(Event(number, number, at_ns, at_ns))
    placed += sequence.expire(expire_ns)
    return [each.event.first_id for each in placed], [each.missing for each in placed if each.missing]


def test_what_the_other_line_brings_in_time_is_not_missing() -> None:
    assert two_lines((1, 0), (3, 10), (4, 20), (2, 250), (3, 251)) == ([1, 2, 3, 4], [])


def test_what_no_line_brings_in_time_is_missing() -> None:
    gap = Missing(Stored(1, 0), 3, 10, Reason.SEQUENCE)
    assert two_lines((1, 0), (3, 10), (4, 20), (2, 270)) == ([1, 3, 4], [gap])


def test_each_hole_has_its_own_time() -> None:
    """The second hole shows itself later than the first, and is filled after that one has expired."""
    gap = Missing(Stored(1, 0), 3, 10, Reason.SEQUENCE)
    assert two_lines((1, 0), (3, 10), (5, 200), (4, 300), (2, 301)) == ([1, 3, 4, 5], [gap])


@given(
    lost=st.tuples(st.sets(st.integers(1, 40)), st.sets(st.integers(1, 40))),
    delays=st.tuples(st.integers(0, WAIT_NS - 1), st.integers(0, WAIT_NS - 1)),
)
def test_two_lines_lose_only_what_both_lost(lost: tuple[set[int], set[int]], delays: tuple[int, int]) -> None:
    """Each line brings what it does not lose after a delay of its own below the wait."""
    arrivals = sorted(
        (10 * number + delay, number)
        for gone, delay in zip(lost, delays, strict=True)
        for number in range(1, 42)
        if number not in gone
    )
    placed, gaps = two_lines(*((number, at_ns) for at_ns, number in arrivals))
    both = lost[0] & lost[1]
    assert placed == [number for number in range(1, 42) if number not in both]
    assert missing_ids(gaps) == sorted(both)


def test_when_all_lines_broke_nothing_is_waited_for() -> None:
    sequence = Sequence(True, Stored(7, 70), None, WAIT_NS)
    sequence.interrupt(Reason.RECONNECT)
    assert take(sequence, 10, 10, 100) == Missing(Stored(7, 70), 10, 100, Reason.RECONNECT)
    assert not sequence.is_waiting


def test_what_is_held_when_all_lines_break_is_placed_before_what_comes_then() -> None:
    """Two holes with what is stored between them, each for its own reason."""
    sequence = Sequence(True, Stored(100, 1), None, WAIT_NS)
    assert take(sequence, 105, 105, 10) is None
    sequence.interrupt(Reason.RECONNECT)
    placed = sequence.offer(Event(200, 200, 20, 20))
    assert [each.missing for each in placed] == [
        Missing(Stored(100, 1), 105, 10, Reason.SEQUENCE),
        Missing(Stored(105, 10), 200, 20, Reason.RECONNECT),
    ]


def test_what_expires_after_all_lines_broke_leaves_the_reason_to_the_next_event() -> None:
    sequence = Sequence(True, Stored(100, 1), None, WAIT_NS)
    assert take(sequence, 105, 105, 10) is None
    sequence.interrupt(Reason.RECONNECT)
    assert [each.missing for each in sequence.expire(10 + WAIT_NS)] == [
        Missing(Stored(100, 1), 105, 10, Reason.SEQUENCE)
    ]
    assert take(sequence, 200, 200, 300) == Missing(Stored(105, 10), 200, 300, Reason.RECONNECT)


def test_what_is_held_when_ids_begin_anew_is_placed_before() -> None:
    last = 5 * RENUMBERED_IDS
    sequence = Sequence(True, Stored(last, 1), None, WAIT_NS)
    assert take(sequence, last + 5, last + 5, 10) is None
    placed = sequence.offer(Event(7, 7, 20, 20))
    assert [each.missing for each in placed] == [
        Missing(Stored(last, 1), last + 5, 10, Reason.SEQUENCE),
        Missing(Stored(last + 5, 10), 7, 20, Reason.RENUMBERED),
    ]


def test_the_copies_of_the_other_line_are_not_held_beside_what_they_repeat() -> None:
    """Held once, an event leaves room for others: only so many are waited for."""
    sequence = Sequence(True, Stored(1, 0), None, WAIT_NS)
    for number in range(3, HELD_MOST + 2):
        assert sequence.offer(Event(number, number, 10, 10)) == []
    for number in range(3, HELD_MOST + 2):
        assert sequence.offer(Event(number, number, 11, 11)) == []
    assert [each.event for each in sequence.offer(Event(2, 2, 12, 12))] == [
        Event(number, number, 12 if number == 2 else 10, 12 if number == 2 else 10)
        for number in range(2, HELD_MOST + 2)
    ]


@pytest.mark.parametrize("dense", [True, False])
def test_a_venue_that_begins_its_ids_anew_is_followed(dense: bool) -> None:
    last = 5 * RENUMBERED_IDS
    sequence = Sequence(dense, Stored(last, 70), None, WAIT_NS)
    assert take(sequence, last - 10, last - 10, 71) is None
    assert take(sequence, 7, 7, 80) == Missing(Stored(last, 70), 7, 80, Reason.RENUMBERED)
    assert take(sequence, 8, 8, 90) is None
    assert sequence.last == Stored(8, 90)
