from itertools import accumulate

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from himari_runtime.messages import START, Kind, Position, Record
from himari_runtime.transport.chunks import Chunk, ChunkError, Packer, Unpacked, split

PRIMER = b'{"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT"}}'


def record(n: int, payload: bytes = b"payload", epoch: int = 3) -> Record:
    return Record(epoch, n, Kind.FRAME, 1, 10 + n, 20 + n, payload)


@given(st.lists(st.binary(max_size=100), min_size=1, max_size=20))
def test_round_trip_as_redis_gives_it_back(payloads: list[bytes]) -> None:
    records = [record(n, payload) for n, payload in enumerate(payloads, 1)]
    chunk = Packer(PRIMER).pack(records, Position(2, 9))
    words = [word if isinstance(word, bytes) else str(word).encode() for word in chunk.fields()]
    back = Chunk.of(str(chunk.last).encode(), words)
    assert back == chunk
    assert back.last == (3, len(payloads))
    assert Packer(PRIMER).unpack(back) == Unpacked(Position(2, 9), records)


times = st.integers(-(1 << 60), 1 << 60)
anything = st.builds(
    Record, st.just(7), st.integers(1, 50), st.sampled_from(Kind), st.integers(0, 255), times, times, st.binary()
)


@given(st.lists(anything, min_size=1, max_size=20))
def test_nothing_of_a_record_is_lost(records: list[Record]) -> None:
    """Holes in n, clocks that jump and empty payloads too."""
    numbers = accumulate(record.n for record in records)
    records = [msgspec.structs.replace(record, n=n) for record, n in zip(records, numbers, strict=True)]
    assert Packer(PRIMER).unpack(Packer(PRIMER).pack(records, START)).records == records


def test_the_primer_helps_small_chunks() -> None:
    records = [record(1, PRIMER)]
    assert len(Packer(PRIMER).pack(records, START).packed) < len(Packer(b"unrelated").pack(records, START).packed) * 0.8


@pytest.mark.parametrize("damage", [lambda z: z[:-1], lambda z: b"", lambda z: bytes([z[0] ^ 1]) + z[1:]])
def test_damage_is_told(damage: "object") -> None:
    chunk = Packer(PRIMER).pack([record(1), record(2)], START)
    bad = Chunk(chunk.last, damage(chunk.packed))  # type: ignore[operator]
    with pytest.raises(ChunkError, match="entry 3-2"):
        Packer(PRIMER).unpack(bad)


def test_columns_of_different_lengths_are_told() -> None:
    columns = ((0, 0), b"\0", b"\0", [], [1], [1, 2], [b"payload"])
    packed = zstandard.ZstdCompressor().compress(msgspec.msgpack.encode(columns))
    with pytest.raises(ChunkError, match="entry 3-2"):
        Packer(b"").unpack(Chunk(Position(3, 2), packed))


def test_every_flipped_byte_is_told() -> None:
    chunk = Packer(PRIMER).pack([record(n, b"%d" % n * 40) for n in range(1, 9)], START)
    for at in range(len(chunk.packed)):
        packed = bytearray(chunk.packed)
        packed[at] ^= 0x55
        with pytest.raises(ChunkError):
            Packer(PRIMER).unpack(Chunk(chunk.last, bytes(packed)))


@pytest.mark.parametrize("fields", [[b"p", b"0-0"], [b"z1", b"", b"p", b"x"], []])
def test_a_foreign_entry_is_told(fields: list[bytes]) -> None:
    with pytest.raises(ChunkError, match="entry 3-1"):
        Packer(PRIMER).unpack(Chunk.of(b"3-1", fields))


def test_split_by_epoch_and_size() -> None:
    records = [record(1, b"x" * 60, 1), record(2, b"x" * 60, 1), record(3, b"x" * 500, 1), record(1, b"x", 2)]
    assert [[(r.epoch, r.n) for r in run] for run in split(records, 120)] == [[(1, 1), (1, 2)], [(1, 3)], [(2, 1)]]
