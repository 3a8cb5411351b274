"""The local order book by the venue's rules: hold updates, fetch a snapshot, align the two, apply.

Prices and quantities stay the venue's text: it writes each of them in one form, so equal text is an equal number.
"""

import msgspec

from himari_runtime.venues.anchor import Anchor, Verdict
from himari_runtime.venues.binance.wire import Depth, DepthUpdate, Level

_levels = msgspec.json.Decoder(list[Level])


class Book:
    """Bids and asks of one symbol: price -> quantity, both as the venue writes them."""

    def __init__(self) -> None:
        self.bids: dict[str, str] = {}
        self.asks: dict[str, str] = {}
        self._anchor: Anchor[DepthUpdate] = Anchor()

    @property
    def last_id(self) -> int | None:
        """The id up to which the book is the venue's; None while it is not aligned."""
        return self._anchor.last_id

    def update(self, update: DepthUpdate) -> Verdict:
        """Holds or applies an update; on a gap the levels are dropped and a snapshot is wanted.

        Raises msgspec.DecodeError for levels that are none.
        """
        verdict = self._anchor.update(update.first_id, update.last_id, update)
        if verdict is Verdict.APPLY:
            self._apply(update)
        elif verdict is Verdict.GAP:
            self.bids, self.asks = {}, {}
        return verdict

    def snapshot(self, depth: Depth) -> bool:
        """Builds the book from a snapshot and the held updates; False where a newer snapshot is wanted."""
        kept = self._anchor.snapshot(depth.last_update_id)
        if kept is None:
            return False
        self.bids, self.asks = dict(_levels.decode(depth.bids)), dict(_levels.decode(depth.asks))
        for held in kept:
            self._apply(held.payload)
        return True

    def _apply(self, update: DepthUpdate) -> None:
        _set(self.bids, _levels.decode(update.bids))
        _set(self.asks, _levels.decode(update.asks))


def _set(side: dict[str, str], levels: list[Level]) -> None:
    for price, quantity in levels:
        if quantity.strip("0.") == "":
            side.pop(price, None)  # removing a level that was never there is normal on this venue
        else:
            side[price] = quantity
