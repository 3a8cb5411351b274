"""A lock that outlives a killed driver until the last command that it had started has ended.

Each command run under the lock inherits its descriptor. So whoever gets the lock after a `kill -9` finds a machine on
which nothing of the killed run still moves."""

import fcntl
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from himari.stack.errors import LockedError, MachineError

POLL_S = 0.02
PATIENCE_S = 60.0  # the longest command that a killed run leaves behind unpacks an image


class Held:
    """A lock that is ours, and the way to run commands under it."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self.descriptor = descriptor
        self.path = path

    def run(self, argv: Sequence[str], text: str = "") -> str:
        """Run `argv` with `text` on stdin; return its stdout. Raises MachineError with what it said when it fails."""
        done = subprocess.run(
            argv, check=False, input=text, capture_output=True, text=True, pass_fds=(self.descriptor,)
        )
        if done.returncode:
            raise MachineError(
                what=f"`{' '.join(argv)}` ended with {done.returncode}",
                where="this machine",
                expected="0",
                hint=(done.stderr or done.stdout).strip()[-2000:],
            )
        return done.stdout

    def forget(self) -> None:
        """Remove the lock's file while it is held: whoever waits for it notices and makes a new one."""
        self.path.unlink(missing_ok=True)


@contextmanager
def held(path: Path, seconds: float = PATIENCE_S) -> Iterator[Held]:
    """Hold the lock at `path` for the block, waiting up to `seconds` for it. Raises LockedError after that."""
    descriptor = _take(path, time.monotonic() + seconds)
    try:
        yield Held(descriptor, path)
    finally:
        os.close(descriptor)


def _take(path: Path, deadline: float) -> int:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _still_named(descriptor, path):
                return descriptor
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise _busy(path) from None
            time.sleep(POLL_S)
        os.close(descriptor)


def _still_named(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _busy(path: Path) -> LockedError:
    return LockedError(
        what="another run holds this lab",
        where=str(path),
        expected="one run at a time on a lab",
        hint="wait for it to end; `himari lab ls` shows the labs of this machine",
    )
