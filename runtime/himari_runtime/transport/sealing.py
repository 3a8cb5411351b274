"""An open segment becomes a sealed one: footer, sync, name, mode. Whatever its size, in little memory."""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

import msgspec

from himari_runtime.durable import sync_folder
from himari_runtime.messages import Kind
from himari_runtime.transport.records import encode_all
from himari_runtime.transport.segment_reader import walk
from himari_runtime.transport.segments import Footer, Segment, footer_frame

PIECE_BYTES = 1 << 20  # hashed at once


class Extent(msgspec.Struct, frozen=True):
    """What a segment holds: records, the last one's n, and the bytes up to its end."""

    records: int
    last_n: int
    end: int


def seal(segment: Segment, extent: Extent) -> Segment | None:
    """Closes `segment` for good behind `extent.end`: cuts the rest, adds the footer, syncs, makes it read-only,
    renames. Damage that intact records follow stays where it is: readers pass over it.

    May be repeated after an OSError, wherever that came from: what has its name, or is gone, is left alone.
    Returns the sealed segment, or None where it held no record and was removed.
    """
    sealed = msgspec.structs.replace(segment, last_n=extent.last_n) if extent.records else None
    if sealed is None:
        segment.path.unlink(missing_ok=True)
    elif segment.path.exists():
        _finish(segment.path, extent)
        segment.path.rename(sealed.path)
    sync_folder(segment.folder)
    return sealed


def _finish(path: Path, extent: Extent) -> None:
    path.chmod(0o600)  # a seal that failed at the rename has left it read-only
    with path.open("r+b") as file:
        file.truncate(extent.end)
        footer = Footer(records=extent.records, last_n=extent.last_n, sha256=_digest(file))
        file.write(footer_frame(footer))
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o440)


def extent(segment: Segment) -> Extent:
    """Finds what a run that died wrote to `segment`: all records that are whole, the torn tail left out."""
    records, last_n, end = 0, 0, 0
    for frames, offset in walk(segment):
        ours = [frame for frame in frames if frame.kind < Kind.HEADER]
        records += len(ours)
        last_n = ours[-1].n if ours else last_n
        end = offset - len(encode_all(frame for frame in frames if frame.kind == Kind.FOOTER))
    return Extent(records, last_n, end)


def _digest(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while piece := file.read(PIECE_BYTES):
        digest.update(piece)
    return digest.hexdigest()
