"""A limit order book by price level, and the changes of it that were not yet told."""

from bisect import bisect_left, insort

from himari_exchange.amounts import decimal

Level = tuple[int, int]  # price and quantity, in hundred-millionths


class Side:
    """One side's levels, best first: `sign` is -1 for bids and 1 for asks."""

    __slots__ = ("_ranks", "_sign", "quantities")

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._ranks: list[int] = []
        self.quantities: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._ranks)

    def put(self, price: int, quantity: int) -> None:
        """Set the level's quantity; zero removes it, and removing what is not there changes nothing."""
        rank = self._sign * price
        if quantity:
            if price not in self.quantities:
                insort(self._ranks, rank)
            self.quantities[price] = quantity
        elif self.quantities.pop(price, None) is not None:
            del self._ranks[bisect_left(self._ranks, rank)]

    def price_at(self, depth: int) -> int:
        """The price `depth` levels behind the best (0). Raises IndexError when there is none."""
        return self._sign * self._ranks[depth]

    def best(self) -> Level | None:
        if not self._ranks:
            return None
        price = self._sign * self._ranks[0]
        return price, self.quantities[price]

    def top(self, limit: int) -> list[Level]:
        """The best `limit` levels."""
        return [(self._sign * rank, self.quantities[self._sign * rank]) for rank in self._ranks[:limit]]

    def ordered(self, prices: set[int]) -> list[Level]:
        """These prices, best first, with what is there now (0 where nothing is)."""
        ranked = sorted(prices, reverse=self._sign < 0)
        return [(price, self.quantities.get(price, 0)) for price in ranked]


class Book:
    """Both sides, and the id of the last update that changed them."""

    __slots__ = ("asks", "bids", "last_id")

    def __init__(self, last_id: int = 0) -> None:
        self.bids, self.asks, self.last_id = Side(-1), Side(1), last_id

    def snapshot(self, limit: int) -> bytes:
        """The body of the venue's answer to a request for `limit` levels a side."""
        bids, asks = levels_json(self.bids.top(limit)), levels_json(self.asks.top(limit))
        return f'{{"lastUpdateId":{self.last_id},"bids":{bids},"asks":{asks}}}'.encode()


class Changes:
    """What changed in a book since it was last told: one running window of a diff stream."""

    __slots__ = ("asks", "bids", "first_id")

    def __init__(self, first_id: int) -> None:
        self.first_id = first_id
        self.bids: set[int] = set()
        self.asks: set[int] = set()

    def __bool__(self) -> bool:
        return bool(self.bids or self.asks)

    def note(self, *, bid: bool, price: int) -> None:
        (self.bids if bid else self.asks).add(price)

    def tell(self, book: Book, symbol: str, now_ms: int) -> bytes:
        """The `depthUpdate` of this window; the next window starts behind it."""
        bids, asks = levels_json(book.bids.ordered(self.bids)), levels_json(book.asks.ordered(self.asks))
        head = f'{{"e":"depthUpdate","E":{now_ms},"s":"{symbol}","U":{self.first_id},"u":{book.last_id}'
        self.first_id = book.last_id + 1
        self.bids.clear()
        self.asks.clear()
        return f'{head},"b":{bids},"a":{asks}}}'.encode()


def levels_json(levels: list[Level]) -> str:
    """Levels as the venue writes them: [["price","quantity"],...]."""
    return "[" + ",".join([f'["{decimal(price)}","{decimal(quantity)}"]' for price, quantity in levels]) + "]"
