"""What counts as agreement: the same events of every place, and some at all."""

import pytest

from himari.proof.accounts import Digest, Held
from himari.runs.agreement import Count, agreed, held


def count(old: int, ours: int) -> Count:
    return Count(channel="trade", symbol="BTC/USDT", old=old, ours=ours)


@pytest.mark.parametrize(
    ("counts", "tolerance", "agree"),
    [
        ([(100, 100)], 0.0, True),
        ([(100, 99)], 0.0, False),
        ([(99, 100)], 0.01, True),
        ([(98, 100)], 0.01, False),
        ([(100, 100), (5, 6)], 0.0, False),
        ([(0, 0), (7, 7)], 0.0, True),
        ([(0, 0)], 0.0, False),
        ([(5, 0)], 0.5, False),
    ],
)
def test_agreement(counts: list[tuple[int, int]], tolerance: float, agree: bool) -> None:
    assert agreed([count(*one) for one in counts], tolerance) is agree


def test_events_are_counted_once_by_place_and_to_before_the_end() -> None:
    events = [
        Held("t|BTCUSDT|1", "a", 10, "ws"),
        Held("t|BTCUSDT|1", "a", 11, "rest"),
        Held("t|BTCUSDT|2", "b", 20, "ws"),
        Held("d|BTCUSDT|1|4", "c", 10, "ws"),
    ]
    stored = Digest("edge", "parquet", 10, 20, 4, 0, events, [])
    assert held(stored, 10, 20) == {("trade", "BTCUSDT"): 1, ("depth", "BTCUSDT"): 1}
