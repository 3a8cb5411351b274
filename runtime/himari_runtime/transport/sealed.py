"""What a brain is told of the journal's sealed segments, and how it knows that one is unharmed."""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

import msgspec

from himari_runtime.messages import Kind, Position
from himari_runtime.transport.records import encode_all, next_frame, scan
from himari_runtime.transport.segments import Footer, Segment, segments

FOOTER_BYTES_MOST = 512
PIECE_BYTES = 1 << 20  # hashed at once


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed segment. `sha256` is of all before its footer, empty where that cannot be read."""

    epoch: int
    first_n: int
    last_n: int
    bytes: int
    sha256: str

    @property
    def first(self) -> Position:
        return Position(self.epoch, self.first_n)

    @property
    def last(self) -> Position:
        return Position(self.epoch, self.last_n)

    def in_folder(self, folder: Path) -> Segment:
        """Where it is, or would be. Its name comes from numbers alone."""
        return Segment(folder, self.epoch, self.first_n, self.last_n)

    def records_after(self, cursor: Position) -> int:
        """How many of its records follow `cursor`."""
        if self.last <= cursor:
            return 0
        return self.last_n - max(self.first_n - 1, cursor.n if cursor.epoch == self.epoch else 0)


class Shelf:
    """The sealed segments of a folder. They never change, so each footer is read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Sealed] = {}

    def listed(self) -> list[Sealed]:
        """Those that there are, oldest first."""
        known = {segment.path.name: segment for segment in segments(self._folder) if segment.last_n is not None}
        found = {name: self._known.get(name) or _sealed(segment) for name, segment in known.items()}
        self._known = {name: sealed for name, sealed in found.items() if sealed}
        return list(self._known.values())

    def find(self, name: str) -> Segment | None:
        """The sealed segment of that very name; what is asked for is compared, and never made a path."""
        return next((segment for segment in segments(self._folder) if _is(segment, name)), None)


def read_footer(segment: Segment) -> tuple[Footer, int] | None:
    """A sealed segment's footer and the offset at which it begins; None where it is damaged."""
    with segment.path.open("rb") as file:
        start = max(0, file.seek(0, os.SEEK_END) - FOOTER_BYTES_MOST)
        file.seek(start)
        tail = file.read()
    at = next_frame(tail, 0)
    while at is not None:
        found = scan(tail, segment.epoch, at)
        last = found.records[-1]
        if found.end == len(tail) and last.kind == Kind.FOOTER:
            footer = msgspec.json.decode(last.payload, type=Footer)
            return footer, start + found.end - len(encode_all([last]))
        at = next_frame(tail, found.end)
    return None


def is_intact(segment: Segment, sha256: str) -> bool:
    """Whether the file's content has the digest of its own footer, and that is `sha256`."""
    found = read_footer(segment)
    if found is None:
        return False
    footer, end = found
    with segment.path.open("rb") as file:
        return footer.sha256 == sha256 == _digest(file, end)


def _digest(file: BinaryIO, size: int) -> str:
    digest = hashlib.sha256()
    while size and (piece := file.read(min(size, PIECE_BYTES))):
        digest.update(piece)
        size -= len(piece)
    return digest.hexdigest()


def _sealed(segment: Segment) -> Sealed | None:
    """None where it has been dropped meanwhile."""
    try:
        found, size = read_footer(segment), segment.path.stat().st_size
    except FileNotFoundError:
        return None
    return Sealed(
        epoch=segment.epoch,
        first_n=segment.first_n,
        last_n=segment.last_n or 0,
        bytes=size,
        sha256=found[0].sha256 if found else "",
    )


def _is(segment: Segment, name: str) -> bool:
    return segment.last_n is not None and segment.path.name == name
