"""The tracker reports exactly what is missing."""

from hypothesis import given
from hypothesis import strategies as st

from himari_runtime.messages import Reason
from himari_runtime.venues.sequence import Missing, Sequence, Stored

LAST = 200


def missing_ids(found: list[Missing]) -> list[int]:
    return [number for gap in found if gap.after for number in range(gap.after.last_id + 1, gap.before_id)]


@given(kept=st.sets(st.integers(1, LAST)), repeats=st.integers(1, 3))
def test_reports_exactly_the_missing_trades(kept: set[int], repeats: int) -> None:
    sequence = Sequence(True, Stored(0, 0), None)
    arrivals = [number for number in sorted(kept) for _ in range(repeats)]
    found = [gap for number in arrivals if (gap := sequence.offer(number, number, number))]
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
        gap = sequence.offer(ids[0], ids[-1], index)
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
        gap = sequence.offer(number, number, 0)
        if number < greatest:
            assert gap is None
            assert number in told
        told |= set(missing_ids([gap] if gap else []))
        greatest = max(greatest, number)


def test_a_reconnect_without_a_loss_is_no_gap_of_dense_ids() -> None:
    sequence = Sequence(True, Stored(7, 70), None)
    sequence.interrupt(Reason.RECONNECT)
    assert sequence.offer(8, 8, 80) is None
    assert sequence.offer(10, 10, 100) == Missing(Stored(8, 80), 10, 100, Reason.SEQUENCE)


def test_a_reconnect_is_always_a_gap_where_ids_leave_numbers_out() -> None:
    sequence = Sequence(False, Stored(7, 70), None)
    assert sequence.offer(12, 12, 75) is None
    sequence.interrupt(Reason.RECONNECT)
    assert sequence.offer(12, 12, 78) is None
    assert sequence.offer(13, 13, 80) == Missing(Stored(12, 75), 13, 80, Reason.RECONNECT)
    assert sequence.offer(20, 20, 90) is None


def test_the_first_event_after_a_start_without_a_past_tells_so() -> None:
    assert Sequence(True, None, Reason.START).offer(5, 5, 50) == Missing(None, 5, 50, Reason.START)
    assert Sequence(True, None, None).offer(5, 5, 50) is None


def test_the_first_reason_stands() -> None:
    sequence = Sequence(True, Stored(7, 70), Reason.START)
    sequence.interrupt(Reason.RECONNECT)
    assert sequence.offer(9, 12, 90) == Missing(Stored(7, 70), 9, 90, Reason.START)


def test_an_overlapping_update_is_no_gap() -> None:
    sequence = Sequence(True, Stored(7, 70), None)
    assert sequence.offer(5, 9, 90) is None
    assert sequence.last == Stored(9, 90)
