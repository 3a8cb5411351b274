"""An open segment becomes a sealed one: footer, sync, name, mode. Whatever its size, in little memory."""

import hashlib
import os
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
    """Closes `segment` for good behind `extent.end`: cuts the rest, adds the footer, syncs, renames, makes it
    read-only. Damage that intact records follow stays where it is: readers pass over it.

    Returns the sealed segment, or None where it held no record and was removed.
    """
    if not extent.records:
        segment.path.unlink()
        sync_folder(segment.folder)
        return None
    with segment.path.open("r+b") as file:
        file.truncate(extent.end)
        footer = Footer(records=extent.records, last_n=extent.last_n, sha256=_digest(file))
        file.write(footer_frame(footer))
        file.flush()
        os.fsync(file.fileno())
    sealed = msgspec.structs.replace(segment, last_n=extent.last_n)
    segment.path.chmod(0o440)
    segment.path.rename(sealed.path)
    sync_folder(segment.folder)
    return sealed


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
