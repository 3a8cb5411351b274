"""A bound on bytes a second, for all who share it."""

import time
from collections.abc import Callable


class Pace:
    """Says how long to wait before sending; what is not sent in a quiet time is not made up for."""

    def __init__(self, bytes_per_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._rate = bytes_per_s
        self._now = now
        self._free = now()

    def delay(self, size: int) -> float:
        """Books `size` bytes; returns the seconds after which they may go."""
        now = self._now()
        start = max(now, self._free)
        self._free = start + size / self._rate
        return start - now
