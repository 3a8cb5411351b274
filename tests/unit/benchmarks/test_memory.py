"""What counts as flat memory."""

import pytest

from benchmarks._memory import GROWTH_MOST, growth

MB = 1_000_000


def test_a_level_that_only_swings_is_flat() -> None:
    assert growth([100 * MB + (second % 7) * MB for second in range(300)]) <= GROWTH_MOST


def test_what_a_start_takes_does_not_count() -> None:
    assert growth([min(100, 40 + second) * MB for second in range(300)]) <= GROWTH_MOST


def test_steady_growth_is_told_by_how_much() -> None:
    assert growth([100 + second for second in range(100)]) == pytest.approx(189.5 / 129.5)
    assert growth([100 + second for second in range(100)]) > GROWTH_MOST


def test_one_peak_is_no_growth() -> None:
    assert growth([100] * 299 + [1000]) == 1.0


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 5"):
        growth([100, 100, 100, 100])
