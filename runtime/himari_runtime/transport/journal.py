"""The journal: every record is appended here before anything else happens to it.

`append_all` is one write(2); what it returned for survives the death of the process. A keeper thread syncs the data,
seals full segments and drops the oldest, so that the event loop never waits for the disk.
"""

import asyncio
import errno
import fcntl
import os
import time
from collections.abc import Callable, Container, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from himari_runtime import metrics
from himari_runtime.durable import sync_folder
from himari_runtime.messages import Epoch, Gap, Kind, Mark, Position, Route
from himari_runtime.settings import JournalSettings
from himari_runtime.transport import epochs
from himari_runtime.transport.accounts import Accounts
from himari_runtime.transport.keeper import Keeper
from himari_runtime.transport.marks import Batch, Marks
from himari_runtime.transport.records import encode_together
from himari_runtime.transport.recovery import Previous, Router, recover
from himari_runtime.transport.sealing import Extent
from himari_runtime.transport.segments import Header, Segment, header_frame
from himari_runtime.transport.unfilled import Unfilled

FLAGS = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND  # of a segment
TELL_NS = 250_000_000  # between two looks of Prometheus' counters, which cost more than a record
Result = TypeVar("Result")


class JournalInUseError(Exception):
    """Another process holds the journal's folder."""


class JournalFullError(Exception):
    """The disk is full and no sealed segment is left to drop."""


class KeeperFailedError(Exception):
    """The keeper has ended: what is appended would be neither synced nor sealed."""


class Journal:
    """The appender. One per folder; not for use from several threads."""

    def __init__(
        self, settings: JournalSettings, source: str, route: Router, lock: int, *, dense: Container[str]
    ) -> None:
        self.settings = settings
        self.source = source
        self.appended = asyncio.Event()
        self._keeper = Keeper(settings)
        self.previous: Previous = self._with_room(partial(recover, settings.path, route, dense))
        accounts = Accounts(dense, self.previous.marks, self.previous.waiting)
        self._marks = Marks(self.previous.marks, route, accounts)
        self._unfilled = Unfilled(self.previous.unfilled)
        self.epoch = self._with_room(partial(epochs.advance, settings.path))
        self.n = 0
        self._told = self._told_ns = self._untold_bytes = 0
        self._lock = lock
        self._open_segment(0)
        sync_folder(settings.path)  # the segments that follow get their names on disk when the one before is sealed
        self._keeper.start()

    @classmethod
    def open(cls, settings: JournalSettings, source: str, route: Router, dense: Container[str] = ()) -> "Journal":
        """Locks the folder, seals what a dead run left, takes a higher epoch, writes its Epoch record as n = 1.

        A disk that is full costs the oldest sealed segments, as it does later. `route` tells of a recovered record what
        it is; `dense`: the channels whose every id is sent, of which holes are followed. Raises JournalInUseError,
        JournalFullError, and OSError for what else the disk refuses.
        """
        settings.path.mkdir(parents=True, exist_ok=True)
        lock = _lock(settings.path)
        try:
            journal = cls(settings, source, route, lock, dense=dense)
        except BaseException:
            os.close(lock)
            raise
        journal._announce()
        return journal

    @property
    def position(self) -> Position:
        """The last record appended."""
        return Position(self.epoch, self.n)

    @property
    def marks(self) -> dict[str, Mark]:
        """The last record of each `stream|channel`."""
        return self._marks.all()

    def append(self, kind: Kind, payload: bytes, *, line: int, received_ns: int, monotonic_ns: int) -> int:
        """`append_all` of one record."""
        return self.append_all(kind, (payload,), line=line, received_ns=received_ns, monotonic_ns=monotonic_ns)

    def append_all(
        self, kind: Kind, payloads: Sequence[bytes], *, line: int, received_ns: int, monotonic_ns: int
    ) -> int:
        """Writes records that were received together and returns the n of the first; raises JournalFullError and then
        leaves no part of them behind.

        Raises KeeperFailedError where nobody keeps the journal any more.
        """
        if self._keeper.failure is not None:
            raise KeeperFailedError(f"{self.settings.path}: the keeper ended: {self._keeper.failure!r}")
        if self._is_full(monotonic_ns):
            self._rotate(monotonic_ns)
        first = self.n + 1
        data = encode_together(kind, payloads, line=line, n=first, received_ns=received_ns, monotonic_ns=monotonic_ns)
        self._write(data)
        self.n += len(payloads)
        if kind == Kind.GAP:
            for payload in payloads:
                self._unfilled.note(msgspec.json.decode(payload, type=Gap))
        self._marks.append(Batch(self.epoch, first, kind, line, received_ns, monotonic_ns, payloads))
        self.appended.set()
        self._untold_bytes += len(data)
        if monotonic_ns - self._told_ns > TELL_NS:
            self._tell(monotonic_ns)
        return first

    def mark(self, n: int, routes: Sequence[Route]) -> None:
        """Notes where the records appended as `n` and behind it belong, which the caller has decoded; what is not
        marked is routed when a segment ends."""
        self._marks.place(n, routes)

    def close(self) -> None:
        """Seals the open segment and releases the folder."""
        self._keeper.seal(self._segment, self._fd, self._extent)
        self._keeper.stop()
        os.close(self._lock)

    @property
    def _extent(self) -> Extent:
        return Extent(self.n + 1 - self._segment.first_n, self.n, self._size)

    def _announce(self) -> None:
        last = self.previous.last
        message = Epoch(epoch=self.epoch, previous_epoch=last.epoch, previous_n=last.n, marks=self.previous.marks)
        payload = msgspec.json.encode(message)
        self.append(Kind.EPOCH, payload, line=0, received_ns=time.time_ns(), monotonic_ns=time.monotonic_ns())

    def _tell(self, monotonic_ns: int) -> None:
        metrics.JOURNAL_RECORDS.inc(self.n - self._told)
        metrics.JOURNAL_BYTES.inc(self._untold_bytes)
        self._told, self._told_ns, self._untold_bytes = self.n, monotonic_ns, 0

    def _open_segment(self, monotonic_ns: int) -> None:
        self._segment = Segment(self.settings.path, self.epoch, self.n + 1, None)
        self._fd = self._with_room(partial(os.open, self._segment.path, FLAGS, 0o600))
        self._size = 0
        self._opened_ns = monotonic_ns
        header = Header(
            epoch=self.epoch,
            first_n=self.n + 1,
            source=self.source,
            marks=dict(self.marks),
            unfilled=self._unfilled.gaps,
            waiting=self._marks.waiting,
        )
        self._write(header_frame(header))
        self._header_size = self._size
        self._keeper.watch(self._fd)

    def _is_full(self, monotonic_ns: int) -> bool:
        if self._size <= self._header_size:
            self._opened_ns = monotonic_ns  # a segment's age counts from its first record
            return False
        old = monotonic_ns - self._opened_ns >= self.settings.segment_seconds * 1e9
        return old or self._size >= self.settings.segment_bytes

    def _rotate(self, monotonic_ns: int) -> None:
        segment, fd, extent = self._segment, self._fd, self._extent
        self._open_segment(monotonic_ns)
        self._keeper.seal(segment, fd, extent)

    def _write(self, frames: bytes) -> None:
        while True:
            try:
                written = os.write(self._fd, frames)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                written = 0
            if written == len(frames):
                self._size += written
                return
            os.ftruncate(self._fd, self._size)
            self._make_room()

    def _with_room(self, work: Callable[[], Result]) -> Result:
        """What `work` returns, which may be done several times."""
        while True:
            try:
                return work()
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                self._make_room()

    def _make_room(self) -> None:
        """On a full disk; raises JournalFullError."""
        if not self._keeper.drop_oldest():
            raise JournalFullError(f"{self.settings.path}: no space left, and no sealed segment to drop")


def _lock(folder: Path) -> int:
    fd = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o640)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise JournalInUseError(f"{folder}: another collector writes this journal") from None
    sync_folder(folder)
    return fd
