"""What is missing between two events of one channel, told by the venue's ids alone."""

from typing import NamedTuple

from himari_runtime.messages import Reason


class Stored(NamedTuple):
    """The event with the greatest id that is stored, and when it was received."""

    last_id: int
    received_ns: int


class Missing(NamedTuple):
    """What lies strictly between two stored events, and why."""

    after: Stored | None  # None: nothing was stored before
    before_id: int
    before_ns: int
    reason: Reason


class Sequence:
    """Follows one channel of one symbol.

    `dense` where the venue sends every id once; elsewhere only an interruption tells that data may be missing.
    `interruption` says why it may be before the next event.
    """

    def __init__(self, dense: bool, last: Stored | None, interruption: Reason | None) -> None:
        self.last = last
        self._dense = dense
        self._interruption = interruption

    def interrupt(self, reason: Reason) -> None:
        """The line broke: the next event may not follow the last."""
        self._interruption = self._interruption or reason

    def offer(self, first_id: int, last_id: int, received_ns: int) -> Missing | None:
        """Takes an event that covers [first_id, last_id]; what is missing before it, or None.

        An event that brings nothing new, a repeated or a late one, changes nothing.
        """
        last = self.last
        if last is not None and last_id <= last.last_id:
            return None
        reason = self._interruption
        self.last = Stored(last_id, received_ns)
        self._interruption = None
        if self._dense and last is not None:
            reason = None if first_id <= last.last_id + 1 else reason or Reason.SEQUENCE
        return Missing(last, first_id, received_ns, reason) if reason else None
