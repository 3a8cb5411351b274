"""Records as bytes in the journal's segments.

A frame is its body's length and CRC-32 and the body; the body is a fixed head and the payload. A reader either gets
back exactly what was written or stops before it.
"""

import struct
from collections.abc import Iterable
from enum import Enum
from zlib import crc32

import msgspec

from himari_runtime.messages import PAYLOAD_BYTES_MOST, Record

FRAME = struct.Struct("<II")
BODY = struct.Struct("<BBQqq")
MAX_BODY = BODY.size + PAYLOAD_BYTES_MOST  # a length beyond it can only be damage


class End(Enum):
    """Why a scan stopped."""

    COMPLETE = "complete"
    SHORT = "short"  # within a frame: it is still being written, or was torn
    DAMAGED = "damaged"  # length or checksum cannot be right


class Scan(msgspec.Struct, frozen=True):
    """The records found, the offset behind the last of them, and why there are no more."""

    records: list[Record]
    end: int
    why: End


def encode(kind: int, payload: bytes, *, line: int, n: int, received_ns: int, monotonic_ns: int) -> bytes:
    """One frame."""
    body = BODY.pack(kind, line, n, received_ns, monotonic_ns) + payload
    return FRAME.pack(len(body), crc32(body)) + body


def encode_all(records: Iterable[Record]) -> bytes:
    """The frames of several records, one after the other."""
    return b"".join(
        encode(r.kind, r.payload, line=r.line, n=r.n, received_ns=r.received_ns, monotonic_ns=r.monotonic_ns)
        for r in records
    )


def scan(data: bytes, epoch: int, offset: int = 0, most: int | None = None) -> Scan:
    """The records of `epoch` in `data` from `offset`, at most `most` of them."""
    found: list[Record] = []
    size = len(data)
    why = End.COMPLETE
    while offset < size and len(found) != most:
        start = offset + FRAME.size
        if start > size:
            why = End.SHORT
            break
        length, checksum = FRAME.unpack_from(data, offset)
        if not BODY.size <= length <= MAX_BODY:
            why = End.DAMAGED
            break
        if start + length > size:
            why = End.SHORT
            break
        body = data[start : start + length]
        if crc32(body) != checksum:
            why = End.DAMAGED
            break
        kind, line, n, received_ns, monotonic_ns = BODY.unpack_from(body)
        found.append(Record(epoch, n, kind, line, received_ns, monotonic_ns, body[BODY.size :]))
        offset = start + length
    return Scan(found, offset, why)


def next_frame(data: bytes, offset: int) -> int | None:
    """Where the first whole frame at or behind `offset` begins; None where there is none."""
    for at in range(offset, len(data) - FRAME.size - BODY.size + 1):
        length, checksum = FRAME.unpack_from(data, at)
        start = at + FRAME.size
        if BODY.size <= length <= len(data) - start and crc32(data[start : start + length]) == checksum:
            return at
    return None
