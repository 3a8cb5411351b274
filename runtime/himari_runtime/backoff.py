"""Full jitter: how long to wait before trying again, so that many who failed together do not return together."""

import random


class Backoff:
    """Waits drawn evenly from 0 to a ceiling that doubles from `first` to `most` seconds."""

    def __init__(self, first: float = 0.1, most: float = 60.0) -> None:
        self._first = first
        self._most = most
        self._ceiling = first

    def next(self) -> float:
        """Seconds to wait before the next attempt."""
        wait = random.uniform(0, self._ceiling)  # noqa: S311 - a pause is no secret
        self._ceiling = min(self._most, self._ceiling * 2)
        return wait

    def reset(self) -> None:
        """After an attempt that lasted."""
        self._ceiling = self._first
