"""One activation at a time on a host. One whose operator went away may still be at work; it ends by itself."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from himari.apply.agent.command import say
from himari.apply.agent.places import Places

PATIENCE_SECONDS = 180  # apt alone waits 120 s for its lock
_POLL_SECONDS = 0.2


@contextmanager
def alone(places: Places, patience: float = PATIENCE_SECONDS) -> Iterator[bool]:
    """Wait until no activation is at work; whether that came true within `patience` seconds. Says that it waits.

    It does not on a host that was stripped meanwhile."""
    places.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (places.run / "lock").open("w") as lock:
        yield _taken(lock, patience)


def _taken(lock: IO[str], patience: float) -> bool:
    deadline = time.monotonic() + patience
    told = False
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            if not told:
                say("waits for an earlier activation to end")
            told = True
            time.sleep(_POLL_SECONDS)
        else:
            # Whoever stripped this host has removed the lock, too, and nothing is to be put there after that.
            return os.fstat(lock.fileno()).st_nlink > 0
