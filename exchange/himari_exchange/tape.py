"""The trades of one symbol that really happened, and the one-minute candles that follow from them."""

from array import array
from bisect import bisect_left
from collections import deque
from typing import NamedTuple

from himari_exchange.amounts import decimal, product

KEPT = 100_000  # trades, at least
SLACK = 10_000  # dropped at once when it is full, so that dropping stays cheap
MINUTES_KEPT = 1500
MINUTE_MS = 60_000


class Trade(NamedTuple):
    """One trade; price and quantity in hundred-millionths, `time` in the venue's own unit (ms)."""

    id: int
    price: int
    quantity: int
    time: int
    buyer_is_maker: bool


class Candle:
    """One minute."""

    __slots__ = ("close", "high", "low", "open", "quote", "start_ms", "taken", "taken_quote", "trades", "volume")

    def __init__(self, start_ms: int, price: int) -> None:
        self.start_ms = start_ms
        self.open = self.high = self.low = self.close = price
        self.volume = self.quote = self.trades = self.taken = self.taken_quote = 0

    def add(self, trade: Trade) -> None:
        quote = product(trade.price, trade.quantity)
        self.high, self.low = max(self.high, trade.price), min(self.low, trade.price)
        self.close = trade.price
        self.volume += trade.quantity
        self.quote += quote
        self.trades += 1
        if not trade.buyer_is_maker:
            self.taken += trade.quantity
            self.taken_quote += quote

    def row(self) -> list[object]:
        """As the venue's `klines` lists it."""
        prices = [decimal(price) for price in (self.open, self.high, self.low, self.close)]
        taken = [decimal(self.taken), decimal(self.taken_quote), "0"]
        end_ms = self.start_ms + MINUTE_MS - 1
        return [self.start_ms, *prices, decimal(self.volume), end_ms, decimal(self.quote), self.trades, *taken]


class Tape:
    """Keeps the last 100,000 trades (32 bytes each) and the candles of the last 1,500 minutes."""

    __slots__ = ("_candles", "_ids", "_prices", "_quantities", "_times")

    def __init__(self) -> None:
        self._ids, self._prices, self._quantities, self._times = array("q"), array("q"), array("q"), array("q")
        self._candles: deque[Candle] = deque(maxlen=MINUTES_KEPT)

    def add(self, trade: Trade) -> None:
        """Append a trade; ids and times must grow."""
        self._ids.append(trade.id)
        self._prices.append(trade.price)
        self._quantities.append(trade.quantity)
        self._times.append(trade.time << 1 | trade.buyer_is_maker)
        if len(self._ids) >= KEPT + SLACK:
            for column in (self._ids, self._prices, self._quantities, self._times):
                del column[:SLACK]
        self._candle_at(trade.time, trade.price).add(trade)

    def trades_from(self, first_id: int | None, limit: int) -> list[Trade]:
        """Up to `limit` trades from `first_id` on, oldest first; without an id the newest ones."""
        start = max(0, len(self._ids) - limit) if first_id is None else bisect_left(self._ids, first_id)
        return [self._at(index) for index in range(start, min(start + limit, len(self._ids)))]

    def candles(self, now_ms: int, start_ms: int | None, end_ms: int | None, limit: int) -> list[Candle]:
        """Candles that open in [start, end], oldest first; without a start the newest ones. Quiet minutes are flat."""
        if self._candles:
            self._candle_at(now_ms, self._candles[-1].close)
        last = end_ms if end_ms is not None else now_ms
        found = [c for c in self._candles if (start_ms or 0) <= c.start_ms <= last]
        return found[-limit:] if start_ms is None else found[:limit]

    def _at(self, index: int) -> Trade:
        time = self._times[index]
        return Trade(self._ids[index], self._prices[index], self._quantities[index], time >> 1, bool(time & 1))

    def _candle_at(self, time_ms: int, price: int) -> Candle:
        start_ms = time_ms - time_ms % MINUTE_MS
        if not self._candles:
            self._candles.append(Candle(start_ms, price))
        for quiet_ms in range(self._first_missing(start_ms), start_ms, MINUTE_MS):
            self._candles.append(Candle(quiet_ms, self._candles[-1].close))
        if self._candles[-1].start_ms < start_ms:
            self._candles.append(Candle(start_ms, price))
        return self._candles[-1]

    def _first_missing(self, start_ms: int) -> int:
        return max(self._candles[-1].start_ms + MINUTE_MS, start_ms - MINUTES_KEPT * MINUTE_MS)
