"""Reads the journal's files in order, and goes on as the open one grows and is replaced by the next."""

import logging
import os
import time
from pathlib import Path

from himari_runtime import metrics
from himari_runtime.messages import Kind, Position, Record
from himari_runtime.transport.records import MAX_BODY, End, next_frame, scan
from himari_runtime.transport.segments import Segment, segments

READ_BYTES = 128 << 10
SETTLED_NS = 100_000_000  # a folder's time is that coarse at most: a later change shows

log = logging.getLogger(__name__)


def segment_of(folder: Path, position: Position) -> Segment | None:
    """The segment in which the record after `position` is or will be; the oldest where that one has been dropped."""
    files = segments(folder)
    before = [segment for segment in files if segment.first <= Position(position.epoch, position.n + 1)]
    return before[-1] if before else files[0] if files else None


class JournalReader:
    """Records after `after`, beginning the search in segment `start` (by default where `after` says)."""

    def __init__(self, folder: Path, after: Position, start: Segment | None = None) -> None:
        self._folder = folder
        self._after = after
        self._fd = -1
        self._segment: Segment | None = None
        self._offset = 0
        self._listed_ns = 0
        self._open(start or segment_of(folder, after))

    def read(self, most_bytes: int = READ_BYTES) -> list[Record]:
        """The next records, from about `most_bytes` of the file; none when all that has been written was read."""
        while True:
            following = None
            records = self._scan(most_bytes, whole=False)
            if not records:
                following = self._following()
                # what was appended until the next segment began, or until this one was sealed
                records = self._scan(most_bytes, whole=following is not None or self._is_sealed)
            if records:
                fresh = [record for record in records if record.position > self._after]
                if fresh:
                    self._after = fresh[-1].position
                    return fresh
            elif following is None or not self._open(following):
                return []

    @property
    def _is_sealed(self) -> bool:
        return self._segment is not None and self._segment.last_n is not None

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _scan(self, most_bytes: int, *, whole: bool) -> list[Record]:
        """What follows in the current file, headers left out; a frame larger than `most_bytes` is read whole.

        `whole`: nothing more is written to the file, so what ends within a frame is damaged.
        """
        if self._segment is None:
            return []
        while True:
            data = os.pread(self._fd, most_bytes, self._offset)
            found = scan(data, self._segment.epoch)
            self._offset += found.end
            records = [record for record in found.records if record.kind < Kind.HEADER]
            if records or not data:
                return records
            if not found.end:
                ends = len(data) < most_bytes
                if (found.why is End.DAMAGED or (whole and ends)) and self._skip(data, whole and ends):
                    continue
                if ends or most_bytes > MAX_BODY:
                    return []
                most_bytes *= 2

    def _skip(self, data: bytes, to_end: bool) -> bool:
        """Goes on at the next whole frame, or at the end of the file; False where that is not in `data`."""
        at = next_frame(data, 1)
        if at is None and not to_end:
            return False
        metrics.JOURNAL_DAMAGE.inc()
        log.error("%s: damaged at byte %d", self._segment and self._segment.path, self._offset)
        self._offset += len(data) if at is None else at
        return True

    def _following(self) -> Segment | None:
        changed_ns = self._folder.stat().st_mtime_ns
        if changed_ns == self._listed_ns:  # a reader that is idle asks often
            return None
        found = self._list_following()
        settled = time.time_ns() - changed_ns > SETTLED_NS
        self._listed_ns = changed_ns if settled and found is None else 0
        return found

    def _list_following(self) -> Segment | None:
        here = self._segment.first if self._segment else Position(0, 0)
        return next((segment for segment in segments(self._folder) if segment.first > here), None)

    def _open(self, segment: Segment | None) -> bool:
        """False where the file was renamed or dropped meanwhile: the folder has to be listed again."""
        if segment is None:
            return False
        try:
            fd = os.open(segment.path, os.O_RDONLY)
        except FileNotFoundError:
            again = [file for file in segments(self._folder) if file.first >= segment.first]
            return self._open(again[0]) if again else False
        self.close()
        self._fd, self._segment, self._offset = fd, segment, 0
        return True
