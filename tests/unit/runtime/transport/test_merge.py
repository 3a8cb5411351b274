"""The merge against a model of Redis: batches appear whole; a read that waited brings one stream only."""

from collections import defaultdict
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from himari_runtime.messages import START, Kind, Position, Record
from himari_runtime.transport.chunks import Chunk, Packer, Unpacked, split
from himari_runtime.transport.merge import END, Merge, OvertakenError

STREAMS = ("md:a", "md:b", "md:_")
PACKER = Packer(b"primer")


class Buffer:
    """Streams of chunks."""

    def __init__(self) -> None:
        self.streams: dict[str, list[Chunk]] = defaultdict(list)

    def push(self, batch: list[tuple[str, Record]]) -> None:
        by_stream: dict[str, list[Record]] = defaultdict(list)
        for stream, record in batch:
            by_stream[stream].append(record)
        for stream, records in by_stream.items():
            for run in split(records, 30):
                held = self.streams[stream]
                held.append(PACKER.pack(run, held[-1].last if held else START))

    def xread(self, wanted: dict[str, Position], count: int) -> dict[str, list[Chunk]]:
        found = {
            stream: [chunk for chunk in self.streams[stream] if chunk.last > after][:count]
            for stream, after in wanted.items()
        }
        return {stream: chunks for stream, chunks in found.items() if chunks}


def filled(pushes: list[list[tuple[str, Record]]]) -> Buffer:
    buffer = Buffer()
    for batch in pushes:
        buffer.push(batch)
    return buffer


def trim(buffer: Buffer, data: st.DataObject) -> dict[str, list[Chunk]]:
    """What chance takes from the start of each stream, which is never all of it."""
    gone: dict[str, list[Chunk]] = {}
    for stream, chunks in buffer.streams.items():
        count = data.draw(st.integers(0, len(chunks) - 1), stream)
        gone[stream], buffer.streams[stream] = chunks[:count], chunks[count:]
    return gone


def merged(merge: Merge, buffer: Buffer, count: int = 2) -> Iterator[Record]:
    """What comes of reads until there is nothing left."""
    for _ in range(200):
        for records in merge.offer(buffer.xread(merge.wanted(), count)):
            yield from records


@st.composite
def batches(draw: st.DrawFn) -> list[list[tuple[str, Record]]]:
    """Records of a few epochs on three streams, in journal order, cut into batches anywhere."""
    found: list[list[tuple[str, Record]]] = []
    for epoch in range(1, draw(st.integers(1, 3)) + 1):
        streams = draw(st.lists(st.sampled_from(STREAMS), min_size=1, max_size=25))
        batch: list[tuple[str, Record]] = []
        for n, stream in enumerate(streams, 1):
            batch.append((stream, Record(epoch, n, Kind.FRAME, 1, n, n, b"x" * draw(st.integers(1, 20)))))
            if draw(st.booleans()):
                found.append(batch)
                batch = []
        found.append(batch)
    return found


@settings(deadline=None, max_examples=300)
@given(batches(), st.integers(1, 4), st.data())
def test_each_record_once_in_order(pushes: list[list[tuple[str, Record]]], count: int, data: st.DataObject) -> None:
    buffer = Buffer()
    merge = Merge(STREAMS, START, {}, count, PACKER.unpack)
    seen: list[Record] = []

    def tails() -> dict[str, Position]:
        stream_of = {record.position: stream for batch in pushes for stream, record in batch}
        return {stream_of[record.position]: record.position for record in seen}

    def read(restarts: bool) -> None:
        nonlocal merge
        wanted, waits = merge.wanted(), merge.caught_up
        answer = buffer.xread(wanted, count)
        if waits and answer and data.draw(st.booleans(), "was blocked"):
            stream = data.draw(st.sampled_from(sorted(answer)))
            answer = {stream: answer[stream]}
        for records in merge.offer(answer, blocked=waits):
            seen.extend(records)
        assert not merge.broken
        if restarts and data.draw(st.integers(0, 4), "restart") == 0:
            merge = Merge(STREAMS, seen[-1].position if seen else START, tails(), count, PACKER.unpack)

    for batch in pushes:
        buffer.push(batch)
        for _ in range(data.draw(st.integers(0, 2), "reads")):
            read(restarts=True)
    for _ in range(1000):
        if len(seen) == sum(map(len, pushes)):
            break
        read(restarts=False)
    assert seen == [record for batch in pushes for _, record in batch]


@given(batches())
def test_what_is_held_stays_bounded(pushes: list[list[tuple[str, Record]]]) -> None:
    buffer = filled(pushes)
    merge = Merge(STREAMS, START, {}, 2, PACKER.unpack)
    for _ in range(200):
        answer = buffer.xread(merge.wanted(), 2)
        list(merge.offer(answer))
        assert all(len(held) <= 2 for held in merge._packed.values())
    assert merge.caught_up


@settings(deadline=None)
@given(batches(), st.integers(1, 4), st.data())
def test_what_was_trimmed_unread_is_told_before_anything_newer_is_emitted(
    pushes: list[list[tuple[str, Record]]], count: int, data: st.DataObject
) -> None:
    buffer = filled(pushes)
    gone = [chunk for chunks in trim(buffer, data).values() for chunk in chunks]
    missing = {record.position for chunk in gone for record in PACKER.unpack(chunk).records}
    emitted: list[Record] = []
    told: Position | None = None
    try:
        for record in merged(Merge(STREAMS, START, {}, count, PACKER.unpack), buffer, count):
            emitted.append(record)
    except OvertakenError as hole:
        told = hole.until
    assert (told is not None) == bool(missing)
    assert told is None or min(missing) <= told <= max(missing)
    assert all(record.position < min(missing, default=END) for record in emitted)


@settings(deadline=None)
@given(batches(), st.data())
def test_a_chunk_that_cannot_be_unpacked_is_told_unless_it_is_conceded(
    pushes: list[list[tuple[str, Record]]], data: st.DataObject
) -> None:
    buffer = filled(pushes)
    chunks = [chunk for chunks in buffer.streams.values() for chunk in chunks]
    damaged = data.draw(st.sampled_from(sorted(chunks, key=lambda chunk: chunk.last)))

    def unpack(chunk: Chunk) -> Unpacked | None:
        return None if chunk == damaged else PACKER.unpack(chunk)

    with pytest.raises(OvertakenError) as told:
        list(merged(Merge(STREAMS, START, {}, 2, unpack), buffer))
    assert told.value.until == damaged.last
    left = sum(len(PACKER.unpack(chunk).records) for chunk in chunks if chunk != damaged)
    assert len(list(merged(Merge(STREAMS, START, {}, 2, unpack, conceded=damaged.last), buffer))) == left


@settings(deadline=None)
@given(batches(), st.data())
def test_what_nobody_has_breaks_its_stream(pushes: list[list[tuple[str, Record]]], data: st.DataObject) -> None:
    buffer = filled(pushes)
    begin = [buffer.streams[stream][0] for stream, gone in trim(buffer, data).items() if gone]
    merge = Merge(STREAMS, START, {}, 2, PACKER.unpack, conceded=END)
    emitted = len(list(merged(merge, buffer)))
    assert emitted == sum(len(PACKER.unpack(chunk).records) for chunks in buffer.streams.values() for chunk in chunks)
    assert merge.broken == {PACKER.unpack(chunk).records[0].position for chunk in begin}


def test_nothing_is_missing_before_a_chunk_that_follows_what_a_reader_began_with() -> None:
    """Whatever the stream of that record: a pusher names the last one that it leaves to the segments."""
    chunk = PACKER.pack([Record(1, 3, Kind.FRAME, 1, 3, 3, b"x")], Position(1, 2))
    seen = {"md:a": Position(1, 1)}
    with pytest.raises(OvertakenError) as told:
        list(Merge(STREAMS, Position(1, 1), seen, 2, PACKER.unpack).offer({"md:a": [chunk]}))
    assert told.value.until == Position(1, 2)
    merge = Merge(STREAMS, Position(1, 2), seen, 2, PACKER.unpack, conceded=Position(1, 2))
    assert [record.n for records in merge.offer({"md:a": [chunk]}) for record in records] == [3]
    assert merge.broken == set()
