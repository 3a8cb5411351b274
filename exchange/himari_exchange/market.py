"""The seeded market: any number of symbols at a chosen rate, the same for the same seed and clock."""

from collections.abc import Sequence
from heapq import heappop, heappush
from random import Random

from himari_exchange.frames import Frame
from himari_exchange.trader import FAST, Cadence, Trader

CATCH_UP_SECONDS = 0.25  # a simulator that was stopped does not make up for more than this
LEVELS_IN_ALL = 200_000  # over all symbols and both sides
MS, SECOND = 1_000_000, 1_000_000_000


class Market:
    """`frames_per_s` counts trades, best changes and 100 ms diffs over all symbols; ids start above `first_id`.

    Restarts must pass a `first_id` above all ids of the run before: microseconds of the wall clock are, as no symbol
    makes a million updates a second."""

    def __init__(self, symbols: Sequence[str], *, seed: int, frames_per_s: float, first_id: int) -> None:
        self._random = Random(seed)
        levels = max(20, min(1500, LEVELS_IN_ALL // (2 * len(symbols))))
        self._traders = [
            Trader(symbol, Random(f"{seed} {symbol}"), first_id=first_id, levels=levels) for symbol in symbols
        ]
        self.instruments = {trader.instrument.symbol: trader.instrument for trader in self._traders}
        self._frames_per_ns = frames_per_s / SECOND
        self._owed = 0.0
        self._last_ns: int | None = None
        self._due: list[tuple[int, int, Cadence]] = []

    def begin(self, now_ns: int) -> None:
        """Nothing: this market trades whether or not somebody listens."""

    def advance(self, now_ns: int) -> list[Frame]:
        """What happened up to `now_ns`; a clock that steps back stands still until it is where it was."""
        elapsed = now_ns - (now_ns if self._last_ns is None else self._last_ns)
        if elapsed < 0:
            return []
        self._last_ns = now_ns
        self._owed += min(elapsed, CATCH_UP_SECONDS * SECOND) * self._frames_per_ns
        frames: list[Frame] = []
        while self._owed >= 1:
            frames += self._trade(now_ns // MS)
        return frames + self._diffs(now_ns // MS)

    def _trade(self, now_ms: int) -> list[Frame]:
        index = self._random.randrange(len(self._traders))
        trader = self._traders[index]
        told = {cadence: bool(changes) for cadence, changes in trader.changes.items()}
        frames = trader.act(now_ms)
        for cadence, pending in told.items():
            if not pending and trader.changes[cadence]:
                heappush(self._due, (self._next_ms(now_ms, index, cadence), index, cadence))
                self._owed -= cadence == FAST
        self._owed -= len(frames)
        return frames

    def _next_ms(self, now_ms: int, index: int, cadence: Cadence) -> int:
        """The symbols' diffs are spread over the cadence, so that a thousand of them do not come at once."""
        phase = index * cadence // len(self._traders)
        return now_ms + cadence - (now_ms - phase) % cadence

    def _diffs(self, now_ms: int) -> list[Frame]:
        frames = []
        while self._due and self._due[0][0] <= now_ms:
            _, index, cadence = heappop(self._due)
            frames.append(self._traders[index].diff(cadence, now_ms))
        return frames
