"""The journal's files: their names, their order, their header and footer."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from himari_runtime.messages import Gap, Kind, Mark, Position
from himari_runtime.transport.records import FRAME, MAX_BODY, encode, scan
from himari_runtime.venues.sequence import Waiting

VERSION = 1
NAME = re.compile(r"^(\d{8,})-(\d{12,})(?:-(\d{12,})\.seg|\.open)$")


class Segment(msgspec.Struct, frozen=True):
    """A file of the journal; `last_n` is None while it is open."""

    folder: Path
    epoch: int
    first_n: int
    last_n: int | None

    @property
    def first(self) -> Position:
        return Position(self.epoch, self.first_n)

    @property
    def before(self) -> Position:
        """The record before its first: n = 0 where it begins its epoch."""
        return Position(self.epoch, self.first_n - 1)

    @property
    def path(self) -> Path:
        start = f"{self.epoch:08d}-{self.first_n:012d}"
        return self.folder / (f"{start}.open" if self.last_n is None else f"{start}-{self.last_n:012d}.seg")


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """A segment's first frame. `marks`: the last record of each `stream|channel` before this segment; `unfilled`: the
    gaps in trades that were open then; `waiting`: the channels that had a hole of which no gap told yet."""

    version: int = VERSION
    epoch: int
    first_n: int
    source: str
    marks: dict[str, Mark] = {}
    unfilled: tuple[Gap, ...] = ()
    waiting: dict[str, Waiting] = {}


class Footer(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed segment's last frame; the digest is of all bytes before it."""

    records: int
    last_n: int
    sha256: str


def segments(folder: Path) -> list[Segment]:
    """The journal's files, oldest first, none before there is a journal; what is named otherwise is not ours."""
    if not folder.is_dir():
        return []
    return sorted(_named(folder), key=lambda segment: segment.first)


def _named(folder: Path) -> Iterator[Segment]:
    for path in folder.iterdir():
        match = NAME.match(path.name)
        if match:
            epoch, first, last = match.groups()
            yield Segment(folder, int(epoch), int(first), int(last) if last else None)


def last_positions(files: list[Segment]) -> dict[int, int]:
    """The greatest n of each epoch that has a sealed segment."""
    found: dict[int, int] = {}
    for segment in files:
        if segment.last_n is not None:
            found[segment.epoch] = max(segment.last_n, found.get(segment.epoch, 0))
    return found


def header_frame(header: Header) -> bytes:
    """The frame that opens a segment."""
    return encode(Kind.HEADER, msgspec.json.encode(header), line=0, n=header.first_n, received_ns=0, monotonic_ns=0)


def footer_frame(footer: Footer) -> bytes:
    """The frame that seals a segment."""
    return encode(Kind.FOOTER, msgspec.json.encode(footer), line=0, n=footer.last_n, received_ns=0, monotonic_ns=0)


def read_header(segment: Segment) -> Header | None:
    """The header of a segment; None where it was never written whole or is damaged."""
    with segment.path.open("rb") as file:
        start = file.read(FRAME.size)
        if len(start) < FRAME.size:
            return None
        length, _ = FRAME.unpack(start)
        found = scan(start + file.read(min(length, MAX_BODY)), segment.epoch, most=1).records
    if not found or found[0].kind != Kind.HEADER:
        return None
    return msgspec.json.decode(found[0].payload, type=Header)
