"""What the venue lets us ask: request weight by the minute, connections by five minutes."""

import asyncio
import heapq
import time
from collections import deque
from collections.abc import Callable
from itertools import count

from himari_runtime.feeds import counters
from himari_runtime.venues.dialect import Priority

TURN_SECONDS = 0.05
MINUTE = 60.0


class WeightBudget:
    """The weight of all calls in one minute of the venue's clock; more urgent and then earlier callers go first.

    `offset_seconds`, the venue's clock minus ours, is for whoever measures it to set."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.time) -> None:
        self.offset_seconds = 0.0
        self._most = per_minute
        self._clock = clock
        self._minute = 0
        self._used = 0
        self._closed_until = 0.0
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
        """The venue refused: nobody calls for `seconds`."""
        self._closed_until = max(self._closed_until, self._clock() + seconds)

    def _fits(self, weight: int) -> bool:
        self._turn()
        return self._clock() >= self._closed_until and (self._used == 0 or self._used + weight <= self._most)

    def _turn(self) -> None:
        minute = int((self._clock() + self.offset_seconds) // MINUTE)
        if minute > self._minute:
            self._used = 0
        if minute != self._minute - 1:  # measured anew, the offset may lead back over the turn of a minute
            self._minute = minute


class ConnectionBudget:
    """At most `most` connections begun in any `seconds`."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._begun: deque[float] = deque()

    def wait(self) -> float:
        """Notes a connection and returns the seconds to wait before it is begun."""
        now = self._clock()
        while self._begun and self._begun[0] <= now - self._seconds:
            self._begun.popleft()
        due = now if len(self._begun) < self._most else self._begun[-self._most] + self._seconds
        self._begun.append(max(now, due))
        return max(0.0, due - now)
