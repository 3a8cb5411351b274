"""Whatever is trimmed, damaged, dropped or killed: what was journaled is stored in order, or lies in a gap.

The journal's files, the server of segments, the merge, the catch-up and the gaps are the real ones; the buffer is a
model of Redis, and a brain that is killed falls back to what it had flushed.
"""

import asyncio
import errno
import tempfile
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from himari_runtime.messages import START, Channel, Epoch, Gap, Kind, Position, Record, Route, stream_of, streams
from himari_runtime.services.segments import SegmentServer
from himari_runtime.settings import Listen, Metrics, SegmentAccess, SegmentsSettings, ServedJournal
from himari_runtime.transport.catch_up import CatchUp
from himari_runtime.transport.chunks import Chunk, Packer
from himari_runtime.transport.continuity import Continuity, Seen
from himari_runtime.transport.copies import Copies, shorten, thin
from himari_runtime.transport.merge import Merge, OvertakenError
from himari_runtime.transport.records import encode_all
from himari_runtime.transport.resume import stream_marks
from himari_runtime.transport.sealing import extent, seal
from himari_runtime.transport.segment_client import UNREACHABLE, SegmentClient
from himari_runtime.transport.segments import Header, Segment, header_frame
from himari_runtime.venues.own import route_own

SYMBOLS = ("A/B", "C/D")
NAMES = streams("toy", SYMBOLS)
SEQUENCED = {Channel.TRADE: True}
PACKER = Packer(b"primer")
COUNT = 2
SEGMENT_LEAST = 8  # records: longer than a copy is late
Event = tuple[str, int]


def event_of(record: Record) -> Event:
    symbol, number = record.payload.decode().split()
    return symbol, int(number)


def route(record: Record) -> Route:
    if record.kind != Kind.FRAME:
        return route_own("toy", record)
    symbol, number = event_of(record)
    return Route(stream_of("toy", symbol, Channel.TRADE), symbol, Channel.TRADE, number, number)


@st.composite
def journals(draw: st.DrawFn) -> list[list[Record]]:
    """Segments of a few epochs; each trade comes over two lines, the second soon after the first."""
    found: list[list[Record]] = []
    last = dict.fromkeys(SYMBOLS, 0)
    ended = START
    for epoch in range(1, draw(st.integers(1, 2)) + 1):
        begun = msgspec.json.encode(Epoch(epoch=epoch, previous_epoch=ended.epoch, previous_n=ended.n))
        records = [Record(epoch, 1, Kind.EPOCH, 0, 1, 1, begun)]
        late: list[bytes] = []
        for symbol in draw(st.lists(st.sampled_from(SYMBOLS), min_size=6, max_size=30)):
            last[symbol] += 1
            late.append(f"{symbol} {last[symbol]}".encode())
            records.append(_frame(epoch, len(records) + 1, 1, late[-1]))
            while late and (len(late) > 2 or draw(st.booleans())):
                records.append(_frame(epoch, len(records) + 1, 2, late.pop(0)))
        ended = records[-1].position
        while records:
            size = draw(st.integers(SEGMENT_LEAST, 20))
            size = len(records) if len(records) - size < SEGMENT_LEAST else size
            found.append(records[:size])
            records = records[size:]
    return found


def _frame(epoch: int, n: int, line: int, payload: bytes) -> Record:
    return Record(epoch, n, Kind.FRAME, line, n, n, payload)


def write(folder: Path, records: list[Record]) -> Segment:
    first = records[0]
    segment = Segment(folder, first.epoch, first.n, None)
    header = Header(epoch=first.epoch, first_n=first.n, source="edge")
    segment.path.write_bytes(header_frame(header) + encode_all(records))
    sealed = seal(segment, extent(segment))
    assert sealed is not None
    return sealed


class Buffer:
    """Redis as the pusher fills it."""

    def __init__(self, journal: list[list[Record]]) -> None:
        self.streams: dict[str, list[Chunk]] = defaultdict(list)
        copies = Copies(SEQUENCED)
        previous: dict[str, Position] = defaultdict(lambda: START)
        for records in journal:
            for start in range(0, len(records), 5):
                runs: dict[str, list[Record]] = defaultdict(list)
                for record in records[start : start + 5]:
                    where = route(record)
                    copy = copies.is_copy(record, where)
                    runs[where.stream].append(shorten(record, where) if copy else record)
                for name, run in runs.items():
                    self.streams[name].append(PACKER.pack(thin(run), previous[name]))
                    previous[name] = run[-1].position

    def read(self, wanted: dict[str, Position]) -> dict[str, list[Chunk]]:
        found = {
            name: [chunk for chunk in self.streams.get(name, ()) if chunk.last > at] for name, at in wanted.items()
        }
        return {name: chunks[:COUNT] for name, chunks in found.items() if chunks}


class Brain:
    """A consumer whose store is a list, flushed now and then."""

    def __init__(self, access: SegmentAccess, folder: Path) -> None:
        self._access = access
        self._folder = folder
        self._flushed: tuple[list[Record], bytes] = ([], msgspec.json.encode(Seen()))
        self.kill()

    def kill(self) -> None:
        """All but what was flushed is gone."""
        rows, memory = self._flushed
        self.rows = list(rows)
        cursor = rows[-1].position if rows else START
        self.continuity = Continuity("toy", SEQUENCED, cursor, msgspec.json.decode(memory, type=Seen))
        self._catch_up = CatchUp(self._access, self._folder, route, SEQUENCED, min_free_bytes=0)
        self.reopen()

    def reopen(self) -> None:
        """A new connection to the buffer."""
        seen = stream_marks(self.continuity.seen.marks)
        self._merge = Merge(NAMES, self.continuity.cursor, seen, COUNT, PACKER.unpack, conceded=self._catch_up.conceded)

    @property
    def unclosed(self) -> set[str]:
        """The symbols with a hole that is known and ends at an event that has not come: no gap has its bounds yet."""
        holes, marks = self.continuity.seen.holes, stream_marks(self.continuity.seen.marks)
        names = {symbol: stream_of("toy", symbol, Channel.TRADE) for symbol in SYMBOLS}
        return {symbol for symbol, name in names.items() if holes.get(name, START) > marks.get(name, START)}

    def flush(self) -> None:
        self._flushed = (list(self.rows), msgspec.json.encode(self.continuity.seen))

    async def read(self, buffer: Buffer, runs_most: int) -> None:
        """One read; where it shows that something was trimmed, the catch-up, at most `runs_most` runs of it."""
        try:
            for records in self._merge.offer(buffer.read(self._merge.wanted())):
                for record in records:
                    self._take(record, record.position in self._merge.broken)
        except OvertakenError as hole:
            async with aclosing(self._catch_up.runs(self.continuity.cursor, hole.until)) as runs:
                async for run in runs:
                    if run.after_hole:
                        self.continuity.lose(run.records[0], NAMES)
                    for record in run.records:
                        self._take(record, broken=False)
                    runs_most -= 1
                    if not runs_most:
                        self.kill()
                        return
            self.reopen()

    def _take(self, record: Record, broken: bool) -> None:
        where = route(record)
        self.rows += self.continuity.gaps(record, where, broken)
        if record.kind != Kind.COPY:
            self.rows.append(record)
        self.continuity.note(record, where)


async def serve(journal: Path) -> tuple[web.AppRunner, SegmentAccess]:
    served = SegmentsSettings(
        listen=Listen(address="127.0.0.1", port=1),
        metrics=Metrics(address="127.0.0.1", port=1),
        journal=ServedJournal(path=journal, bytes_per_s=1e9),
    )
    runner = web.AppRunner(SegmentServer(served).app(), access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, SegmentAccess(host="127.0.0.1", port=runner.addresses[0][1])


async def live_through(data: st.DataObject, journal: list[list[Record]], root: Path, harmed: bool) -> Brain:
    """The brain in the end."""
    (root / "journal").mkdir()
    files = [write(root / "journal", records) for records in journal]
    runner, access = await serve(root / "journal")
    buffer, brain = Buffer(journal), Brain(access, root / "fetched")
    everything = journal[-1][-1].position
    try:
        for _ in range(data.draw(st.integers(0, 4), "reads before")):
            await brain.read(buffer, 0)
        if data.draw(st.booleans(), "flushed"):
            brain.flush()
        for name, chunks in buffer.streams.items():
            buffer.streams[name] = chunks[data.draw(st.integers(0, len(chunks) - 1), f"trimmed of {name}") :]
        if harmed:
            harm(data, files)
        for kill in data.draw(st.lists(st.integers(0, 4), max_size=3), "kills"):
            await brain.read(buffer, kill)
            if data.draw(st.booleans(), "flushed then"):
                brain.flush()
            if data.draw(st.booleans(), "killed then"):
                brain.kill()
        for _ in range(200):
            if brain.continuity.cursor == everything:
                return brain
            await brain.read(buffer, 0)
    finally:
        await runner.cleanup()
    raise AssertionError(f"stuck at {brain.continuity.cursor}, not at {everything}")


def harm(data: st.DataObject, files: list[Segment]) -> None:
    """Drops the oldest segments and damages others."""
    dropped = data.draw(st.integers(0, len(files) - 1), "dropped")
    for segment in files[:dropped]:
        segment.path.unlink()
    for segment in data.draw(st.lists(st.sampled_from(files[dropped:]), max_size=2, unique=True), "damaged"):
        content = bytearray(segment.path.read_bytes())
        content[data.draw(st.integers(0, len(content) - 1), "at")] ^= 0xFF
        segment.path.chmod(0o640)
        segment.path.write_bytes(content)


def check(brain: Brain, journal: list[list[Record]], repeats: bool) -> list[Gap]:
    """Order, content, and each event stored, inside a gap, or behind all that is stored of a symbol with a hole that
    its next event closes; returns the gaps."""
    rows = brain.rows
    written = {record.position: record for records in journal for record in records}
    stored = [row for row in rows if row.line >= 0]
    assert [row.position for row in stored] == sorted({row.position for row in stored})
    assert all(written[row.position] == row for row in stored)
    events = Counter(event_of(row) for row in stored if row.kind == Kind.FRAME)
    assert repeats or set(events.values()) <= {1}
    gaps = [msgspec.json.decode(row.payload, type=Gap) for row in rows if row.line < 0]
    for gap in gaps:
        assert gap.after_id is None or (gap.symbol, gap.after_id) in events
        assert (gap.symbol, gap.before_id) in events
    for symbol, number in {event_of(record) for record in written.values() if record.kind == Kind.FRAME}:
        inside = any(gap.symbol == symbol and (gap.after_id or 0) < number < (gap.before_id or 0) for gap in gaps)
        behind = symbol in brain.unclosed and number > max((n for name, n in events if name == symbol), default=0)
        assert (symbol, number) in events or inside or behind
    return gaps


@settings(deadline=None, max_examples=40)
@given(journals(), st.data())
def test_what_the_journal_has_is_stored_once_and_without_a_gap(
    journal: list[list[Record]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        brain = asyncio.run(live_through(data, journal, Path(folder), harmed=False))
    assert check(brain, journal, repeats=False) == []


@settings(deadline=None, max_examples=40)
@given(journals(), st.data())
def test_what_the_journal_has_lost_is_disclosed(journal: list[list[Record]], data: st.DataObject) -> None:
    """Where a first is lost and its copy is not, or the other way round, an event may be stored twice; never not."""
    with tempfile.TemporaryDirectory() as folder:
        brain = asyncio.run(live_through(data, journal, Path(folder), harmed=True))
    check(brain, journal, repeats=True)


def test_a_copy_whose_first_ends_the_segment_before_is_told(tmp_path: Path) -> None:
    """The cursor is that first: what was read of its segment says nothing any more after a restart."""
    begun = msgspec.json.encode(Epoch(epoch=1, previous_epoch=0, previous_n=0))
    first = [Record(1, 1, Kind.EPOCH, 0, 1, 1, begun), _frame(1, 2, 1, b"A/B 1"), _frame(1, 3, 1, b"A/B 2")]
    second = [_frame(1, 4, 2, b"A/B 1"), _frame(1, 5, 2, b"A/B 2"), _frame(1, 6, 1, b"A/B 3")]
    for records in (first, second):
        write(tmp_path, records)

    async def caught_up() -> list[Record]:
        runner, access = await serve(tmp_path)
        catch_up = CatchUp(access, tmp_path / "fetched", route, SEQUENCED, min_free_bytes=0)
        async with aclosing(catch_up.runs(first[-1].position, second[-1].position)) as runs:
            found = [record async for run in runs for record in run.records]
        await runner.cleanup()
        return found

    found = asyncio.run(caught_up())
    assert [(record.n, record.kind) for record in found] == [(4, Kind.COPY), (5, Kind.COPY), (6, Kind.FRAME)]
    assert found[-1] == second[-1]


@asynccontextmanager
async def edge(folder: Path) -> AsyncIterator[SegmentAccess]:
    """A server of a journal with one segment."""
    begun = msgspec.json.encode(Epoch(epoch=1, previous_epoch=0, previous_n=0))
    write(folder, [Record(1, 1, Kind.EPOCH, 0, 1, 1, begun), _frame(1, 2, 1, b"A/B 1")])
    runner, access = await serve(folder)
    try:
        yield access
    finally:
        await runner.cleanup()


@pytest.mark.asyncio
async def test_a_segment_for_which_there_is_no_room_is_not_fetched(tmp_path: Path) -> None:
    async with edge(tmp_path) as access:
        catch_up = CatchUp(access, tmp_path / "fetched", route, SEQUENCED, min_free_bytes=1 << 60)
        runs = catch_up.runs(START, Position(1, 2))
        with pytest.raises(OSError, match=rf"bytes free, a segment has \d+ and {1 << 60} are to be kept") as caught:
            await anext(runs)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "fetched"))
    assert not isinstance(caught.value, UNREACHABLE)
    assert not (tmp_path / "fetched").exists()


@pytest.mark.asyncio
async def test_a_disk_that_is_full_is_not_taken_for_the_edge(tmp_path: Path) -> None:
    async with edge(tmp_path) as access, SegmentClient.open(access) as client:
        [sealed] = await client.listed()
        (tmp_path / "fetched").mkdir()
        sealed.in_folder(tmp_path / "fetched").path.symlink_to("/dev/full")
        with pytest.raises(OSError, match="No space left") as caught:
            await client.fetch(sealed, tmp_path / "fetched")
    assert not isinstance(caught.value, UNREACHABLE)


@pytest.mark.asyncio
async def test_an_edge_that_is_away_is_not_taken_for_the_disk(tmp_path: Path) -> None:
    async with edge(tmp_path) as access:
        pass
    async with SegmentClient.open(access) as client:
        with pytest.raises(UNREACHABLE):
            await client.listed()
