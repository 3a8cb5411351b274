"""What is missing between two events of one channel, told by the venue's ids alone.

Events come over several lines: what one line has not brought may still come over another.
"""

from bisect import bisect_left
from operator import itemgetter
from typing import NamedTuple

from himari_runtime.messages import RENUMBERED_IDS, Reason

HELD_MOST = 6000  # ten minutes of updates; beyond it nothing is waited for

_ids = itemgetter(0, 1)


class Event(NamedTuple):
    """An event that covers the ids [first_id, last_id]; times in ns, since 1970 and of the edge's clock since boot."""

    first_id: int
    last_id: int
    received_ns: int
    monotonic_ns: int


class Stored(NamedTuple):
    """The event with the greatest id that is stored, and when it was received."""

    last_id: int
    received_ns: int


class Waiting(NamedTuple):
    """A channel with a hole of which nothing is said yet: each id up to `last` is stored or disclosed, and `held` is
    stored behind the hole."""

    last: Stored
    held: tuple[Event, ...]


class Missing(NamedTuple):
    """What lies strictly between two stored events, and why."""

    after: Stored | None  # None: nothing was stored before
    before_id: int
    before_ns: int
    reason: Reason


class Placed(NamedTuple):
    """An event that has its place in the sequence, and what is missing before it."""

    event: Event
    missing: Missing | None


class Sequence:
    """Follows one channel of one symbol over all its lines.

    `dense` where the venue sends every id once; elsewhere only an interruption tells that data may be missing.
    `interruption` says why it may be before the next event. `wait_ns`: how long another line may take to bring what is
    missing; 0 where there is none. Never more than `held_most` events are held back.
    """

    def __init__(
        self,
        dense: bool,
        last: Stored | None,
        interruption: Reason | None,
        wait_ns: int = 0,
        held_most: int = HELD_MOST,
    ) -> None:
        self.last = last
        self._dense = dense
        self._interruption = interruption
        self._wait_ns = wait_ns
        self._held_most = held_most
        self._held: list[Event] = []
        self._since_ns = 0  # when the oldest of them came

    @property
    def is_waiting(self) -> bool:
        """Events are held back behind ids that another line may bring."""
        return bool(self._held)

    @property
    def waiting(self) -> Waiting | None:
        """What is held back, and behind what; None where nothing is."""
        return Waiting(self.last, tuple(self._held)) if self._held and self.last is not None else None

    def wait(self, waiting: Waiting) -> None:
        """Goes on from where another sequence of the channel waited."""
        self.last, self._held = waiting.last, list(waiting.held)
        self._date()

    def interrupt(self, reason: Reason) -> None:
        """All lines broke: the next event may follow neither the last nor what is held back."""
        self._interruption = self._interruption or reason

    def follows(self, first_id: int, last_id: int, received_ns: int) -> bool:
        """Takes an event that goes on from the last, as nearly all do; False where it has to be offered."""
        last = self.last
        if last is None or self._interruption or self._held or last_id <= last.last_id:
            return False
        if self._dense and first_id > last.last_id + 1:
            return False
        self.last = Stored(last_id, received_ns)
        return True

    def offer(self, event: Event) -> list[Placed]:
        """Takes an event; those that have their place now, in order.

        An event that brings nothing new, a repeated or a late one, changes nothing.
        """
        settled = self.settle() if self._interruption or self._is_renumbered(event) else []
        if self._is_old(event):
            return settled
        if self._wait_ns and not self._interruption and self._leaves_out(event):
            self._hold(event)
            return self.expire(event.monotonic_ns)
        reason = Reason.RENUMBERED if self._is_renumbered(event) else self._interruption
        self._interruption = None
        return [*settled, self._place(event, reason), *self._drain()]

    def expire(self, monotonic_ns: int) -> list[Placed]:
        """What was waited for long enough is missing."""
        placed: list[Placed] = []
        while self._held and self._is_due(monotonic_ns):
            placed += self._give_up()
        return placed

    def settle(self) -> list[Placed]:
        """What is waited for is missing: no line brings it any more."""
        placed: list[Placed] = []
        while self._held:
            placed += self._give_up()
        return placed

    def disclosed(self, before_id: int, before_ns: int) -> None:
        """All that is missing before the event that begins with `before_id` is said: it waits no longer."""
        if self.last is not None and self.last.last_id < before_id - 1:
            self.last = Stored(before_id - 1, before_ns)
        self._drain()

    def _is_renumbered(self, event: Event) -> bool:
        return self.last is not None and event.last_id < self.last.last_id - RENUMBERED_IDS

    def _is_old(self, event: Event) -> bool:
        return self.last is not None and event.last_id <= self.last.last_id and not self._is_renumbered(event)

    def _leaves_out(self, event: Event) -> bool:
        return self._dense and self.last is not None and event.first_id > self.last.last_id + 1

    def _hold(self, event: Event) -> None:
        at = bisect_left(self._held, _ids(event), key=_ids)
        if at == len(self._held) or _ids(self._held[at]) != _ids(event):
            self._since_ns = min(self._since_ns, event.monotonic_ns) if self._held else event.monotonic_ns
            self._held.insert(at, event)

    def _is_due(self, monotonic_ns: int) -> bool:
        return monotonic_ns - self._since_ns >= self._wait_ns or len(self._held) > self._held_most

    def _give_up(self) -> list[Placed]:
        return [self._place(self._held.pop(0), None), *self._drain()]

    def _drain(self) -> list[Placed]:
        placed: list[Placed] = []
        while self._held and self.last is not None and self._held[0].first_id <= self.last.last_id + 1:
            event = self._held.pop(0)
            if event.last_id > self.last.last_id:
                placed.append(self._place(event, None))
        self._date()
        return placed

    def _date(self) -> None:
        self._since_ns = min((event.monotonic_ns for event in self._held), default=0)

    def _place(self, event: Event, reason: Reason | None) -> Placed:
        if self._dense and self.last is not None and reason is not Reason.RENUMBERED:
            reason = (reason or Reason.SEQUENCE) if self._leaves_out(event) else None
        last, self.last = self.last, Stored(event.last_id, event.received_ns)
        return Placed(event, Missing(last, event.first_id, event.received_ns, reason) if reason else None)
