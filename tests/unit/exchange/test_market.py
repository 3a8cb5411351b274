"""The seeded market, judged by a client that knows the venue's rules and nothing else."""

import itertools
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from himari_exchange.frames import Frame
from himari_exchange.market import Market

MS = 1_000_000
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


def run(market: Market, ms: int, *, start_ms: int = 0, step_ms: int = 10) -> list[Frame]:
    return [frame for now in range(start_ms, start_ms + ms, step_ms) for frame in market.advance(now * MS)]


def data_of(frames: list[Frame], stream: str) -> list[Any]:
    return [json.loads(frame.data) for frame in frames if frame.stream == stream]


def full_book(market: Market, symbol: str) -> Any:
    return json.loads(market.instruments[symbol].book.snapshot(10**6))


class LocalBook:
    """A client's book: the venue's documented procedure, with prices as the texts they came as."""

    def __init__(self, snapshot: Any) -> None:
        self.last_id = snapshot["lastUpdateId"]
        self.sides = {"b": dict(snapshot["bids"]), "a": dict(snapshot["asks"])}

    def apply(self, diff: Any) -> None:
        if diff["u"] <= self.last_id:
            return
        assert diff["U"] <= self.last_id + 1, "a diff is missing"
        for name, side in self.sides.items():
            for price, quantity in diff[name]:
                side[price] = quantity
                if float(quantity) == 0:
                    del side[price]
        self.last_id = diff["u"]


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(), early_ms=st.integers(0, 900), rate=st.integers(20, 3000), channel=st.sampled_from([100, 1000])
)
def test_diffs_on_a_snapshot_give_the_venues_book(seed: int, early_ms: int, rate: int, channel: int) -> None:
    market = Market(SYMBOLS, seed=seed, frames_per_s=rate, first_id=5000)
    stream = "ethusdt@depth@100ms" if channel == 100 else "ethusdt@depth"
    frames = run(market, early_ms)
    local = LocalBook(full_book(market, "ETHUSDT"))
    frames += run(market, 2000, start_ms=early_ms)
    # A diff is the last thing that happens in a tick, so right after one the client knows all that the venue does.
    now_ms = early_ms + 2000
    while not data_of(latest := market.advance(now_ms * MS), stream):
        frames += latest
        now_ms += 10
    for diff in data_of(frames + latest, stream):
        local.apply(diff)
    truth = full_book(market, "ETHUSDT")
    assert local.last_id == truth["lastUpdateId"]
    assert local.sides == {"b": dict(truth["bids"]), "a": dict(truth["asks"])}


@settings(max_examples=20, deadline=None)
@given(seed=st.integers())
def test_diffs_are_contiguous_and_trades_are_dense(seed: int) -> None:
    frames = run(Market(SYMBOLS, seed=seed, frames_per_s=1500, first_id=5000), 2000)
    for symbol in SYMBOLS:
        diffs = data_of(frames, f"{symbol.lower()}@depth@100ms")
        assert diffs[0]["U"] == 5001
        assert all(after["U"] == before["u"] + 1 for before, after in itertools.pairwise(diffs))
        trades = [trade["t"] for trade in data_of(frames, f"{symbol.lower()}@trade")]
        assert trades == list(range(5001, 5001 + len(trades)))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers())
def test_the_book_is_never_crossed_and_trades_happen_inside_it(seed: int) -> None:
    market = Market(("BTCUSDT",), seed=seed, frames_per_s=800, first_id=0)
    best: Any = None
    for frame in run(market, 3000, step_ms=1):
        said = json.loads(frame.data)
        if frame.stream.endswith("@bookTicker"):
            assert float(said["b"]) < float(said["a"])
            best = said
        elif frame.stream.endswith("@trade") and best:
            # A taker starts at the best level and goes on to worse ones only.
            assert float(said["p"]) <= float(best["b"]) if said["m"] else float(said["p"]) >= float(best["a"])


def test_a_ticker_says_what_the_book_holds_at_its_id() -> None:
    market = Market(("BTCUSDT",), seed=1, frames_per_s=100, first_id=0)
    compared = 0
    for now in range(0, 10_000, 10):
        tickers = data_of(market.advance(now * MS), "btcusdt@bookTicker")
        book = json.loads(market.instruments["BTCUSDT"].book.snapshot(1))
        if tickers and tickers[-1]["u"] == book["lastUpdateId"]:
            assert [tickers[-1]["b"], tickers[-1]["B"]] == book["bids"][0]
            assert [tickers[-1]["a"], tickers[-1]["A"]] == book["asks"][0]
            compared += 1
    assert compared > 50


def test_the_same_seed_and_clock_give_the_same_bytes() -> None:
    first, second, other = (Market(SYMBOLS, seed=seed, frames_per_s=400, first_id=0) for seed in (3, 3, 4))
    told = [frame.text(combined=True) for frame in run(first, 2000)]
    assert told == [frame.text(combined=True) for frame in run(second, 2000)]
    assert told != [frame.text(combined=True) for frame in run(other, 2000)]


@pytest.mark.parametrize(("symbols", "rate"), [(1, 50), (4, 400), (1000, 400), (1000, 4000)])
def test_keeps_the_rate_that_was_asked_for(symbols: int, rate: int) -> None:
    names = [f"C{number}USDT" for number in range(symbols)]
    frames = run(Market(names, seed=1, frames_per_s=rate, first_id=0), 5000)
    counted = Counter(frame.stream.partition("@")[2] for frame in frames)
    del counted["depth"]
    assert counted.total() == pytest.approx(5 * rate, rel=0.05)


def test_a_clock_that_steps_back_or_far_ahead_does_no_harm() -> None:
    market = Market(SYMBOLS, seed=1, frames_per_s=400, first_id=0)
    run(market, 1000)
    assert market.advance(0) == []
    assert len(market.advance(3_600_000 * MS)) < 120


def test_sides_stay_near_their_size() -> None:
    market = Market(SYMBOLS, seed=2, frames_per_s=5000, first_id=0)
    run(market, 20_000)
    for instrument in market.instruments.values():
        assert 700 < len(instrument.book.bids) < 2300
        assert 700 < len(instrument.book.asks) < 2300
