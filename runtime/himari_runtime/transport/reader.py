"""Reads the journal's files in order, and goes on as the open one grows and is replaced by the next."""

import logging
import time
from pathlib import Path

from himari_runtime import metrics
from himari_runtime.messages import Kind, Position, Record
from himari_runtime.transport.segment_reader import READ_BYTES, SegmentReader
from himari_runtime.transport.segments import Segment, segments

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
        self._file: SegmentReader | None = None
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
                if records[0].position <= self._after:
                    records = [record for record in records if record.position > self._after]
                if records:
                    self._after = records[-1].position
                    return records
            elif following is None or not self._open(following):
                return []

    @property
    def _is_sealed(self) -> bool:
        return self._file is not None and self._file.segment.last_n is not None

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _scan(self, most_bytes: int, *, whole: bool) -> list[Record]:
        """What follows in the current file, headers and footers left out."""
        if self._file is None:
            return []
        damaged = self._file.damaged
        while frames := self._file.read(most_bytes, whole=whole):
            if records := [record for record in frames if record.kind < Kind.HEADER]:
                break
        else:
            records = []
        if self._file.damaged > damaged:
            metrics.JOURNAL_DAMAGE.inc(self._file.damaged - damaged)
            log.error("%s: damaged before byte %d", self._file.path, self._file.offset)
        return records

    def _following(self) -> Segment | None:
        changed_ns = self._folder.stat().st_mtime_ns
        if changed_ns == self._listed_ns:  # a reader that is idle asks often
            return None
        found = self._list_following()
        settled = time.time_ns() - changed_ns > SETTLED_NS
        self._listed_ns = changed_ns if settled and found is None else 0
        return found

    def _list_following(self) -> Segment | None:
        here = self._file.segment.first if self._file else Position(0, 0)
        return next((segment for segment in segments(self._folder) if segment.first > here), None)

    def _open(self, segment: Segment | None) -> bool:
        """False where the file was renamed or dropped meanwhile: the folder has to be listed again."""
        if segment is None:
            return False
        try:
            file = SegmentReader(segment)
        except FileNotFoundError:
            again = [found for found in segments(self._folder) if found.first >= segment.first]
            return self._open(again[0]) if again else False
        self.close()
        self._file = file
        return True
