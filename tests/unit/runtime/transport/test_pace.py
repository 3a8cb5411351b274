from hypothesis import given
from hypothesis import strategies as st

from himari_runtime.transport.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 10_000)), min_size=1, max_size=40))
def test_never_more_than_the_rate_and_one_piece(sends: list[tuple[float, int]]) -> None:
    clock = Clock()
    pace = Pace(1000, clock)
    sent: list[tuple[float, int]] = []
    for quiet, size in sends:
        clock.at += quiet
        clock.at += pace.delay(size)
        sent.append((clock.at, size))
    for first in range(len(sent)):
        for last in range(first + 1, len(sent)):
            spent = sent[last][0] - sent[first][0]
            assert sum(size for _, size in sent[first:last]) <= 1000 * spent + 1e-3


def test_who_comes_second_waits_for_who_came_first() -> None:
    clock = Clock()
    pace = Pace(1000, clock)
    assert [pace.delay(500), pace.delay(2000), pace.delay(1)] == [0.0, 0.5, 2.5]
