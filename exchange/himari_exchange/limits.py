"""The venue's limits, as counters that are told the time: request weight, connections, inbound messages."""

from collections import defaultdict, deque
from typing import NamedTuple

MINUTE, FIVE_MINUTES = 60, 300
PATIENCE = 20  # requests refused in a minute before the address is banned
BAN_SECONDS = 120


class Verdict(NamedTuple):
    """What becomes of a request: HTTP status (200, 429, 418), the weight used this minute, seconds to wait."""

    status: int
    used: int
    retry_after: int


class Weights:
    """Request weight per address and calendar minute; whoever goes on after 429 is banned for two minutes."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._minute = 0
        self._used: dict[str, int] = defaultdict(int)
        self._refused: dict[str, int] = defaultdict(int)
        self._banned_until: dict[str, float] = {}

    def charge(self, address: str, weight: int, now: float) -> Verdict:
        """Account for a request at `now` (seconds of the wall clock)."""
        self._turn(now)
        if self._banned_until.get(address, 0) > now:
            return Verdict(418, self._used[address], _whole(self._banned_until[address] - now))
        self._used[address] += weight
        if self._used[address] <= self.per_minute:
            return Verdict(200, self._used[address], 0)
        self._refused[address] += 1
        if self._refused[address] > PATIENCE:
            self._banned_until[address] = now + BAN_SECONDS
            return Verdict(418, self._used[address], BAN_SECONDS)
        return Verdict(429, self._used[address], _whole(MINUTE - now % MINUTE))

    def _turn(self, now: float) -> None:
        if int(now // MINUTE) != self._minute:
            self._minute = int(now // MINUTE)
            self._used.clear()
            self._refused.clear()
            self._banned_until = {who: until for who, until in self._banned_until.items() if until > now}


class Connections:
    """Connections per address within five minutes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: dict[str, deque[float]] = {}

    def admit(self, address: str, now: float) -> bool:
        """Count an attempt at `now` (monotonic seconds); refused ones do not count."""
        seen = self._seen.setdefault(address, deque())
        while seen and now - seen[0] >= FIVE_MINUTES:
            seen.popleft()
        if len(seen) >= self._most:
            return False
        seen.append(now)
        return True


class Inbound:
    """Messages from one line, control frames included, within any second."""

    def __init__(self, per_second: int) -> None:
        self._last: deque[float] = deque(maxlen=per_second)

    def admit(self, now: float) -> bool:
        """Count a message at `now` (monotonic seconds); false when it is one too many."""
        full = len(self._last) == self._last.maxlen and now - self._last[0] < 1
        self._last.append(now)
        return not full


def _whole(seconds: float) -> int:
    return int(seconds) + 1
