"""The journal's housekeeping, in a thread of its own: sync, seal, drop the oldest."""

import errno
import logging
import os
import threading
from collections import deque

from himari_runtime import metrics
from himari_runtime.room import free_bytes
from himari_runtime.settings import JournalSettings
from himari_runtime.transport.sealing import Extent, seal
from himari_runtime.transport.segments import Segment, segments

log = logging.getLogger(__name__)


class Keeper:
    """Syncs what is being written each `fsync_ms`, seals what is handed over, keeps the folder within its bounds."""

    def __init__(self, settings: JournalSettings) -> None:
        self._settings = settings
        self.failure: Exception | None = None  # what ended the thread; nothing is synced or sealed any more
        self._current = -1
        self._full: deque[tuple[Segment, int, Extent]] = deque()
        self._stopping = threading.Event()
        self._dropping = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="journal-keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def watch(self, fd: int) -> None:
        """`fd` is the segment being written from now on."""
        self._current = fd

    def seal(self, segment: Segment, fd: int, extent: Extent) -> None:
        """Takes over a segment to which nothing more is written."""
        if fd == self._current:
            self._current = -1
        self._full.append((segment, fd, extent))

    def stop(self) -> None:
        """Returns when all that was handed over is sealed."""
        self._stopping.set()
        self._thread.join()

    def drop_oldest(self) -> bool:
        """Removes the oldest segment if it is sealed and not the last one, which knows where the journal ends: without
        it nobody could tell what is missing. False where there is none. Order decides, never a clock."""
        with self._dropping:
            held = segments(self._settings.path)
            if len(held) < 2 or held[0].last_n is None:
                return False
            held[0].path.unlink(missing_ok=True)
            metrics.JOURNAL_DROPPED.inc()
            return True

    def _run(self) -> None:
        try:
            while not self._stopping.wait(self._settings.fsync_ms / 1000):
                self._keep()
            self._keep()
        except Exception as error:
            metrics.JOURNAL_ERRORS.inc()
            log.exception("journal %s: the keeper has ended", self._settings.path)
            self.failure = error

    def _keep(self) -> None:
        try:
            self._sync()
            self._seal_all()
        except OSError as error:  # a disk that fails now may work at the next turn; the thread must be there then
            metrics.JOURNAL_ERRORS.inc()
            log.exception("journal %s", self._settings.path)
            if error.errno == errno.ENOSPC:
                self.drop_oldest()

    def _sync(self) -> None:
        fd = self._current
        if fd >= 0:
            with metrics.JOURNAL_SYNC.time():
                os.fdatasync(fd)

    def _seal_all(self) -> None:
        while self._full:
            segment, fd, extent = self._full[0]
            seal(segment, extent)
            self._full.popleft()
            os.close(fd)
            self._retain()

    def _retain(self) -> None:
        while self._is_over() and self.drop_oldest():
            pass

    def _is_over(self) -> bool:
        used = sum(_size(segment) for segment in segments(self._settings.path))
        return used > self._settings.max_bytes or free_bytes(self._settings.path) < self._settings.min_free_bytes


def _size(segment: Segment) -> int:
    try:
        return segment.path.stat().st_size
    except FileNotFoundError:  # the appender drops segments too
        return 0
