"""Whether a line's successor may take over: what its books tell."""

import time

from himari_runtime.feeds.session import Session

STILL_SECONDS = 1.0


class Passing:
    """Two sessions of one line beside one another; the books that `session` has are looked at."""

    def __init__(self, session: Session, following: Session) -> None:
        self._session = session
        self._following = following
        self._start = dict(session.reached)
        self._behind = set(session.reached)
        self._brings_since: float | None = None  # when the successor was first seen to bring a book

    @property
    def is_done(self) -> bool:
        """Every book goes on where it was; of one that stands still while others move nothing can be seen."""
        self._behind = {symbol for symbol in self._behind if not self._following.joins(self._session, symbol)}
        if not self._behind:
            return True
        return self._session.reached != self._start and all(map(self._is_still, self._behind))

    @property
    def is_idle(self) -> bool:
        """The successor has not brought so much of a book that moves as was there when it came."""
        reached = self._following.reached
        return any(reached.get(symbol, -1) < last for symbol, last in self._start.items() if self._moves(symbol))

    @property
    def is_vain(self) -> bool:
        """The successor has brought books for a second, and the old line nothing since: it is not worth a wait."""
        if not self._following.began:
            return False
        if self._brings_since is None:
            self._brings_since = time.monotonic()
        since = self._brings_since
        return self._session.heard < since and time.monotonic() - since >= STILL_SECONDS

    def _moves(self, symbol: str) -> bool:
        return self._session.reached[symbol] != self._start[symbol]

    def _is_still(self, symbol: str) -> bool:
        return not self._moves(symbol) and symbol not in self._following.began
