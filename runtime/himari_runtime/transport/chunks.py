"""Chunks: records of one stream and epoch, compressed together, as they cross the link.

Chunks are small while data is live, so compression starts from the venue's primer: text that all its messages share.
"""

from collections.abc import Iterator, Sequence

import msgspec
import zstandard

from himari_runtime.messages import Position, Record
from himari_runtime.transport.records import End, encode_all, scan

LEVEL = 1  # on small chunks of such text the higher levels cost more and gain nothing
MAX_BYTES = 256 << 20  # decompressed; more can only be damage


class ChunkError(Exception):
    """A chunk is not what a pusher writes."""


class Chunk(msgspec.Struct, frozen=True):
    """An entry of a stream: its last record names it; `previous` is the stream's record before its first."""

    last: Position
    previous: Position
    count: int
    packed: bytes

    def fields(self) -> tuple[bytes | str | int, ...]:
        """As XADD takes them."""
        return ("z1", self.packed, "p", str(self.previous), "c", self.count)

    @classmethod
    def of(cls, entry_id: bytes, fields: Sequence[bytes]) -> "Chunk":
        """From XREAD's answer; raises ChunkError."""
        found = dict(zip(fields[::2], fields[1::2], strict=True))
        try:
            return cls(
                Position.parse(entry_id.decode()),
                Position.parse(found[b"p"].decode()),
                int(found[b"c"]),
                found[b"z1"],
            )
        except (KeyError, ValueError) as error:
            raise ChunkError(f"entry {entry_id!r} lacks or has a wrong field: {error}") from None


class Packer:
    """Compresses and decompresses chunks of one venue."""

    def __init__(self, primer: bytes) -> None:
        dictionary = zstandard.ZstdCompressionDict(primer, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
        self._compressor = zstandard.ZstdCompressor(level=LEVEL, dict_data=dictionary)
        self._decompressor = zstandard.ZstdDecompressor(dict_data=dictionary)

    def pack(self, records: Sequence[Record], previous: Position) -> Chunk:
        """A chunk of records of one stream and epoch."""
        packed = self._compressor.compress(encode_all(records))
        return Chunk(records[-1].position, previous, len(records), packed)

    def unpack(self, chunk: Chunk) -> list[Record]:
        """The records of a chunk; raises ChunkError where it is damaged or was packed with another primer."""
        try:
            data = self._decompressor.decompress(chunk.packed, max_output_size=MAX_BYTES)
        except zstandard.ZstdError as error:
            raise ChunkError(f"entry {chunk.last}: cannot be decompressed: {error}") from None
        found = scan(data, chunk.last.epoch)
        if found.why is not End.COMPLETE or len(found.records) != chunk.count:
            raise ChunkError(f"entry {chunk.last}: {len(found.records)} of {chunk.count} records are whole")
        return found.records


def split(records: Sequence[Record], most_bytes: int) -> Iterator[list[Record]]:
    """Runs of one epoch and at most about `most_bytes` of payload; a larger record goes alone."""
    run: list[Record] = []
    size = 0
    for record in records:
        if run and (size + len(record.payload) > most_bytes or record.epoch != run[0].epoch):
            yield run
            run, size = [], 0
        run.append(record)
        size += len(record.payload)
    if run:
        yield run
