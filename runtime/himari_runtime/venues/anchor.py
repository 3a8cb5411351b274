"""Where a local order book stands among a venue's updates: hold them, fetch a snapshot, align the two, follow.

It sees ids alone: each update covers a range, and ranges that follow one another leave nothing out.
"""

from collections import deque
from enum import Enum
from typing import Generic, NamedTuple, TypeVar

HELD_MOST = 6000  # ten minutes of updates

P = TypeVar("P")


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
