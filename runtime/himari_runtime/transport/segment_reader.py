"""Reads one file of the journal in pieces, so that its size is never one of memory."""

import os
from collections.abc import Iterator
from pathlib import Path

from himari_runtime.messages import Record
from himari_runtime.transport.records import MAX_BODY, End, next_frame, scan
from himari_runtime.transport.segments import Segment

READ_BYTES = 128 << 10


class SegmentReader:
    """The frames of `segment`, header and footer among them, from its start; raises FileNotFoundError.

    `offset` is behind the last frame given; `damaged` counts the places that were passed over.
    """

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self.offset = 0
        self.damaged = 0
        self._fd = os.open(segment.path, os.O_RDONLY)

    @property
    def path(self) -> Path:
        return self.segment.path

    def close(self) -> None:
        os.close(self._fd)

    def read(self, most_bytes: int = READ_BYTES, *, whole: bool) -> list[Record]:
        """The next frames, from about `most_bytes` of the file; one larger than that is read whole. None at the end.

        `whole`: nothing more is written to the file, so what ends within a frame is damaged.
        """
        while True:
            data = os.pread(self._fd, most_bytes, self.offset)
            found = scan(data, self.segment.epoch)
            self.offset += found.end
            if found.records or not data:
                return found.records
            ends = len(data) < most_bytes
            if (found.why is End.DAMAGED or (whole and ends)) and self._skip(data, last=whole and ends):
                continue
            if ends:
                return []
            most_bytes *= 2

    def _skip(self, data: bytes, *, last: bool) -> bool:
        """Goes on at the next whole frame; where there is none, behind what cannot hold the start of one.

        False where `data` is too short to tell. `last`: nothing follows `data` in the file.
        """
        at = next_frame(data, 1)
        if at is None and last:
            at = len(data)
        if at is None and len(data) >= 2 * MAX_BODY:  # a frame that begins in the first half would be whole
            at = len(data) // 2
        if at is None:
            return False
        self.damaged += 1
        self.offset += at
        return True


def walk(segment: Segment) -> Iterator[tuple[list[Record], int]]:
    """All whole frames of a segment to which nothing more is written, in pieces, each with the offset behind it."""
    reader = SegmentReader(segment)
    try:
        while frames := reader.read(whole=True):
            yield frames, reader.offset
    finally:
        reader.close()
