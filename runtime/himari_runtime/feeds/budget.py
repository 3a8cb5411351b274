"""What the venue lets us ask: request weight by the minute, connections by five minutes."""

import asyncio
import heapq
import logging
import time
from collections.abc import Callable
from itertools import count

from himari_runtime.feeds import counters
from himari_runtime.feeds.spent import Spent
from himari_runtime.venues.dialect import Priority

TURN_SECONDS = 0.05
MINUTE = 60.0

log = logging.getLogger(__name__)


class WeightBudget:
    """The weight of all calls in one minute of the venue's clock; more urgent and then earlier callers go first.

    `offset_seconds`, the venue's clock minus ours, is for whoever measures it to set. `spent` knows how long the venue
    wants no call; what was used before a start the first answer tells."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.time, *, spent: Spent | None = None) -> None:
        self.offset_seconds = 0.0
        self._most = per_minute
        self._clock = clock
        self._minute = 0
        self._used = 0
        self._spent = spent or Spent()
        self._waiting: list[tuple[Priority, int]] = []
        self._numbers = count()

    async def take(self, weight: int, priority: Priority) -> None:
        """Returns when `weight` may be spent; a call heavier than the whole budget goes alone."""
        ticket = (priority, next(self._numbers))
        heapq.heappush(self._waiting, ticket)
        try:
            while True:
                if self._waiting[0] == ticket and self._fits(weight):
                    self._used += weight
                    return
                await asyncio.sleep(TURN_SECONDS)
        finally:
            self._waiting.remove(ticket)
            heapq.heapify(self._waiting)

    def observe(self, used: int) -> None:
        """What the venue says is used in this minute: others may share our address."""
        self._turn()
        self._used = max(self._used, used)
        counters.WEIGHT_USED.set(self._used)

    def pause(self, seconds: float) -> None:
        """The venue refused: nobody calls for `seconds`, nor does a process that comes after this one."""
        self._spent.close(seconds)

    def _fits(self, weight: int) -> bool:
        self._turn()
        return not self._spent.is_closed and (self._used == 0 or self._used + weight <= self._most)

    def _turn(self) -> None:
        minute = int((self._clock() + self.offset_seconds) // MINUTE)
        if minute > self._minute:
            self._used = 0
        if minute != self._minute - 1:  # measured anew, the offset may lead back over the turn of a minute
            self._minute = minute


class ConnectionBudget:
    """At most `most` connections begun in any `seconds`, those of the processes before among them, as `spent` knows."""

    def __init__(self, most: int, seconds: float, spent: Spent | None = None) -> None:
        self._most = most
        self._seconds = seconds
        self._spent = spent or Spent()
        self._turn = asyncio.Lock()  # who came first goes first

    async def take(self) -> None:
        """Returns when a connection may begin, which is noted then."""
        async with self._turn:
            if (wait := self._wait()) > 0:
                log.warning(
                    "the next connection waits %.0f s: %s in %.0f s are allowed", wait, self._most, self._seconds
                )
            while True:
                if self._wait() <= 0:
                    self._spent.connect()
                    return
                await asyncio.sleep(TURN_SECONDS)

    def _wait(self) -> float:
        begun, now = self._spent.connections, self._spent.clock()
        while begun and begun[0] <= now - self._seconds:
            begun.popleft()
        return begun[-self._most] + self._seconds - now if len(begun) >= self._most else 0.0
