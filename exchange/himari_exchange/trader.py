"""The seeded traders of one symbol: they quote, cancel and trade, and the book is always what they left."""

from random import Random

from himari_exchange.amounts import SCALE, decimal
from himari_exchange.book import Book, Changes, Level, Side
from himari_exchange.frames import Frame, depth_frame, ticker_frame, trade_frame
from himari_exchange.instrument import Instrument
from himari_exchange.tape import Trade

TICK = SCALE // 100
LOT = SCALE // 100_000
TAKES, REQUOTES = 0.3, 0.4  # shares of the actions; the rest happens deeper in the book
SWEEP = 3  # levels that one taker eats at most
PULL = 20.0  # how strongly takers push a price back that wandered off

Cadence = int  # milliseconds between diffs
FAST: Cadence = 100
SLOW: Cadence = 1000
STREAMS = {FAST: "depth@100ms", SLOW: "depth"}


class Trader:
    """One symbol. Ids start above `first_id`; each side is kept near `levels` levels."""

    def __init__(self, symbol: str, random: Random, *, first_id: int, levels: int) -> None:
        self._random, self._levels = random, levels
        self.instrument = Instrument(symbol, book=Book(first_id), tick=TICK, lot=LOT)
        self._book = self.instrument.book
        self._trade_id = first_id
        self._anchor = random.randint(100 * 100, 60_000 * 100) * TICK
        self._fill(self._book.bids, -1)
        self._fill(self._book.asks, 1)
        self.changes = {cadence: Changes(first_id + 1) for cadence in STREAMS}

    def act(self, now_ms: int) -> list[Frame]:
        """One trader does one thing; the frames of it, the diffs apart."""
        before = self._best()
        roll = self._random.random()
        frames: list[Frame] = []
        if roll < TAKES:
            frames = self._take(now_ms)
        elif roll < TAKES + REQUOTES:
            self._requote(bid=self._random.random() < 0.5)
        else:
            self._rearrange(bid=self._random.random() < 0.5)
        return frames if self._best() == before else [*frames, self._ticker()]

    def diff(self, cadence: Cadence, now_ms: int) -> Frame:
        """What changed since the last diff of this cadence."""
        changes, symbol = self.changes[cadence], self.instrument.symbol
        first_id = changes.first_id
        data = changes.tell(self._book, symbol, now_ms)
        return depth_frame(symbol, f"{symbol.lower()}@{STREAMS[cadence]}", first_id, self._book.last_id, data)

    def _fill(self, side: Side, direction: int) -> None:
        price = self._anchor
        for _ in range(self._levels):
            price += direction * self._random.randint(1, 2) * TICK
            if price > 0:
                side.put(price, self._quantity())

    def _put(self, *, bid: bool, price: int, quantity: int) -> None:
        (self._book.bids if bid else self._book.asks).put(price, quantity)
        self._book.last_id += 1
        for changes in self.changes.values():
            changes.note(bid=bid, price=price)

    def _quantity(self) -> int:
        return (1 + int(self._random.expovariate(1 / 40_000))) * LOT

    def _best(self) -> tuple[Level, Level]:
        bids, asks = self._book.bids, self._book.asks
        bid, ask = bids.price_at(0), asks.price_at(0)
        return (bid, bids.quantities[bid]), (ask, asks.quantities[ask])

    def _ticker(self) -> Frame:
        (bid, bids), (ask, asks) = self._best()
        symbol, update_id = self.instrument.symbol, self._book.last_id
        best = f'"b":"{decimal(bid)}","B":"{decimal(bids)}","a":"{decimal(ask)}","A":"{decimal(asks)}"'
        return ticker_frame(symbol, update_id, f'{{"u":{update_id},"s":"{symbol}",{best}}}'.encode())

    def _take(self, now_ms: int) -> list[Frame]:
        (bid, _), (ask, _) = self._best()
        drift = PULL * (self._anchor - (bid + ask) // 2) / self._anchor
        buys = self._random.random() < 0.5 + drift
        side = self._book.asks if buys else self._book.bids
        wanted = self._quantity()
        frames = []
        for _ in range(min(SWEEP, len(side) - self._levels // 2)):
            price = side.price_at(0)
            filled = min(wanted, side.quantities[price])
            self._put(bid=not buys, price=price, quantity=side.quantities[price] - filled)
            frames.append(self._print(price, filled, now_ms, buyer_is_maker=not buys))
            wanted -= filled
            if not wanted:
                break
        return frames

    def _print(self, price: int, quantity: int, now_ms: int, *, buyer_is_maker: bool) -> Frame:
        self._trade_id += 1
        trade = Trade(self._trade_id, price, quantity, now_ms, buyer_is_maker)
        self.instrument.tape.add(trade)
        symbol, p, q = self.instrument.symbol, decimal(price), decimal(quantity)
        maker = "true" if buyer_is_maker else "false"
        head = f'{{"e":"trade","E":{now_ms},"s":"{symbol}","t":{trade.id},"p":"{p}","q":"{q}"'
        return trade_frame(symbol, trade, p, q, f'{head},"T":{now_ms},"m":{maker},"M":true}}'.encode())

    def _requote(self, *, bid: bool) -> None:
        """The best level gets a better price where the spread leaves room, else another quantity."""
        (best_bid, _), (best_ask, _) = self._best()
        room = (best_ask - best_bid) // TICK - 1
        price, better = (best_bid, TICK) if bid else (best_ask, -TICK)
        if room > 0 and self._random.random() < 0.7:
            price += better * self._random.randint(1, room)
        self._put(bid=bid, price=price, quantity=self._quantity())

    def _rearrange(self, *, bid: bool) -> None:
        """A level behind the best comes, goes or changes, so that the side stays near its size."""
        side, worse = (self._book.bids, -TICK) if bid else (self._book.asks, TICK)
        price = side.price_at(self._random.randrange(1, len(side)))
        if len(side) > self._levels * self._random.uniform(0.9, 1.1):
            self._put(bid=bid, price=price, quantity=0)
            return
        price += worse * self._random.randint(0, 3)
        if price > 0:
            self._put(bid=bid, price=price, quantity=self._quantity())
