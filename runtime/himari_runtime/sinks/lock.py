"""One writer a store: a flock that ends with its holder, and a note of who that is."""

import fcntl
import os
from datetime import UTC, datetime
from pathlib import Path

from himari_runtime.sinks.errors import StoreInUseError, refusals
from himari_runtime.sinks.parquet_files import venue_folder


class StoreLock:
    """Held until `release` or the end of the process. Who only reads needs none."""

    def __init__(self, root: Path, source: str, venue: str) -> None:
        """Raises StoreInUseError where another process holds it, StoreError where it cannot be made."""
        path = venue_folder(root, venue) / f"{source}.lock"
        with refusals(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._fd, 200, 0).decode(errors="replace").strip()
            self.release()
            raise StoreInUseError(
                f"{path}: held by {holder or 'another consumer'}: "
                "a store has one writer: stop that one, or give this one another [parquet] path"
            ) from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"process {os.getpid()} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n".encode(), 0)

    def release(self) -> None:
        os.close(self._fd)
