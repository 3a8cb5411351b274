"""Two lines are never left together."""

from hypothesis import given
from hypothesis import strategies as st

from himari_runtime.feeds.stagger import Stagger

LIFE = 82_800.0
TOLERANCE = 1e-3


def test_a_line_without_a_twin_lives_a_whole_life() -> None:
    assert Stagger(LIFE).due(0, 5.0) == 5.0 + LIFE


def test_the_second_line_is_left_half_a_life_before_the_first() -> None:
    stagger = Stagger(LIFE)
    assert stagger.due(0, 0.0) - stagger.due(1, 1.0) == LIFE / 2


def test_the_rhythm_does_not_drift_with_what_a_connection_takes() -> None:
    stagger = Stagger(LIFE)
    first, second = stagger.due(0, 0.0), stagger.due(1, 1.0)
    assert abs(stagger.due(1, second + 3.0) - (second + LIFE)) < TOLERANCE
    assert abs(stagger.due(0, first + 3.0) - (first + LIFE)) < TOLERANCE


def test_lines_that_were_cut_together_are_left_half_a_life_apart_again() -> None:
    stagger = Stagger(LIFE)
    ends = [stagger.due(line, opened) for line, opened in ((0, 0.0), (1, 1.0), (0, 900.0), (1, 900.5))]
    assert abs(ends[2] - ends[3]) == LIFE / 2


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 3 * LIFE)), min_size=2, max_size=30))
def test_half_a_life_is_between_them_whichever_is_opened_when(openings: list[tuple[int, float]]) -> None:
    """An end that lies a whole life on, or back, is the same place in the rhythm."""
    stagger, ends, now = Stagger(LIFE), dict[int, float](), 0.0
    for line, seconds in openings:
        now += seconds
        ends[line] = stagger.due(line, now)
        assert now < ends[line] <= now + LIFE
        if len(ends) == 2:
            assert abs(abs(ends[0] - ends[1]) % LIFE - LIFE / 2) < TOLERANCE
