import pytest
from hypothesis import given
from hypothesis import strategies as st

from himari_runtime.messages import START, Kind, Position, Record
from himari_runtime.transport.chunks import Chunk, ChunkError, Packer, split

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
    assert (back.last, back.previous, back.count) == ((3, len(payloads)), (2, 9), len(payloads))
    assert Packer(PRIMER).unpack(back) == records


def test_the_primer_helps_small_chunks() -> None:
    records = [record(1, PRIMER)]
    assert len(Packer(PRIMER).pack(records, START).packed) < len(Packer(b"unrelated").pack(records, START).packed) * 0.8


@pytest.mark.parametrize("damage", [lambda z: z[:-1], lambda z: b"", lambda z: bytes([z[0] ^ 1]) + z[1:]])
def test_damage_is_told(damage: "object") -> None:
    chunk = Packer(PRIMER).pack([record(1), record(2)], START)
    bad = Chunk(chunk.last, chunk.previous, chunk.count, damage(chunk.packed))  # type: ignore[operator]
    with pytest.raises(ChunkError, match="entry 3-2"):
        Packer(PRIMER).unpack(bad)


def test_a_wrong_count_is_told() -> None:
    chunk = Packer(PRIMER).pack([record(1), record(2)], START)
    with pytest.raises(ChunkError, match="2 of 3"):
        Packer(PRIMER).unpack(Chunk(chunk.last, chunk.previous, 3, chunk.packed))


@pytest.mark.parametrize("fields", [[b"p", b"0-0"], [b"z1", b"", b"p", b"x", b"c", b"1"]])
def test_a_foreign_entry_is_told(fields: list[bytes]) -> None:
    with pytest.raises(ChunkError, match="field"):
        Chunk.of(b"3-1", fields)


def test_split_by_epoch_and_size() -> None:
    records = [record(1, b"x" * 60, 1), record(2, b"x" * 60, 1), record(3, b"x" * 500, 1), record(1, b"x", 2)]
    assert [[(r.epoch, r.n) for r in run] for run in split(records, 120)] == [[(1, 1), (1, 2)], [(1, 3)], [(2, 1)]]
