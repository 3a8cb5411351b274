"""The local order book by the venue's rules: hold updates, fetch a snapshot, align the two, apply.

Prices and quantities stay the venue's text: it writes each of them in one form, so equal text is an equal number.
"""

from collections import deque
from enum import Enum
from typing import Generic, NamedTuple, TypeVar

import msgspec

from himari_runtime.venues.binance.wire import Depth, DepthUpdate, Level

HELD_MOST = 6000  # ten minutes of updates

P = TypeVar("P")
_levels = msgspec.json.Decoder(list[Level])


class Verdict(Enum):
    """What an update is to a book."""

    HELD = "held"  # there is no snapshot yet
    APPLY = "apply"
    OLD = "old"
    GAP = "gap"  # updates are missing before it: the book begins again, with this one held


class Held(NamedTuple, Generic[P]):
    """An update that covers the ids [first_id, last_id]."""

    first_id: int
    last_id: int
    payload: P


class Anchor(Generic[P]):
    """Where a book stands in the venue's sequence. `last_id` is None until a snapshot and the updates fit together."""

    def __init__(self) -> None:
        self.last_id: int | None = None
        self._held: deque[Held[P]] = deque(maxlen=HELD_MOST)

    def update(self, first_id: int, last_id: int, payload: P) -> Verdict:
        """What is to be done with an update."""
        held = Held(first_id, last_id, payload)
        reached = self.last_id if self.last_id is not None else self._reached
        if reached is None:
            self._held.append(held)
            return Verdict.HELD
        if last_id <= reached:
            return Verdict.OLD
        if first_id > reached + 1:
            self.last_id = None
            self._held = deque([held], maxlen=HELD_MOST)
            return Verdict.GAP
        if self.last_id is None:
            self._held.append(held)
            return Verdict.HELD
        self.last_id = last_id
        return Verdict.APPLY

    def snapshot(self, snapshot_id: int) -> list[Held[P]] | None:
        """The held updates to apply on a snapshot, or None: it is older than the updates, fetch another.

        The first of them contains `snapshot_id` + 1; none is there yet where the snapshot is ahead of the updates.
        """
        if not self._held or snapshot_id < self._held[0].first_id:
            return None
        kept = [held for held in self._held if held.last_id > snapshot_id]
        self._held.clear()
        self.last_id = kept[-1].last_id if kept else snapshot_id
        return kept

    @property
    def _reached(self) -> int | None:
        return self._held[-1].last_id if self._held else None


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
