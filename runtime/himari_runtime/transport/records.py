"""Records as bytes in the journal's segments.

A frame is its body's length and CRC-32 and the body; the body is a fixed head and the payload. A reader either gets
back exactly what was written or stops before it.
"""

import struct
from collections.abc import Iterable, Sequence
from enum import Enum
from zlib import crc32

import msgspec

from himari_runtime.messages import PAYLOAD_BYTES_MOST, Record

FRAME = struct.Struct("<II")
BODY = struct.Struct("<BBQqq")
HEAD = struct.Struct("<IIBBQqq")  # both, one after the other
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
    return encode_together(kind, (payload,), line=line, n=n, received_ns=received_ns, monotonic_ns=monotonic_ns)


def encode_together(
    kind: int, payloads: Sequence[bytes], *, line: int, n: int, received_ns: int, monotonic_ns: int
) -> bytes:
    """The frames of records that were received together, from `n` on."""
    parts: list[bytes] = []
    for number, payload in enumerate(payloads, n):
        head = BODY.pack(kind, line, number, received_ns, monotonic_ns)
        parts += (FRAME.pack(BODY.size + len(payload), crc32(payload, crc32(head))), head, payload)
    return b"".join(parts)


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
    view = memoryview(data)
    why = End.COMPLETE
    while offset < size and len(found) != most:
        if offset + HEAD.size > size:
            why = _short(data, offset)
            break
        length, checksum, kind, line, n, received_ns, monotonic_ns = HEAD.unpack_from(data, offset)
        start = offset + FRAME.size
        end = start + length
        if not BODY.size <= length <= MAX_BODY:
            why = End.DAMAGED
            break
        if end > size:
            why = End.SHORT
            break
        if crc32(view[start:end]) != checksum:
            why = End.DAMAGED
            break
        found.append(Record(epoch, n, kind, line, received_ns, monotonic_ns, data[offset + HEAD.size : end]))
        offset = end
    return Scan(found, offset, why)


def _short(data: bytes, offset: int) -> End:
    """What less than a head is: the start of a frame, or damage where its length cannot be right."""
    if offset + FRAME.size > len(data):
        return End.SHORT
    length, _ = FRAME.unpack_from(data, offset)
    return End.SHORT if BODY.size <= length <= MAX_BODY else End.DAMAGED


def next_frame(data: bytes, offset: int) -> int | None:
    """Where the first whole frame at or behind `offset` begins; None where there is none."""
    for at in range(offset, len(data) - FRAME.size - BODY.size + 1):
        length, checksum = FRAME.unpack_from(data, at)
        start = at + FRAME.size
        if BODY.size <= length <= len(data) - start and crc32(data[start : start + length]) == checksum:
            return at
    return None
