"""The pusher: feeds the buffer (Redis Streams) from the journal's files, never from memory.

A batch is one XADD, or one MULTI/EXEC of several: all of it is in the buffer or nothing, so a reader sees whole batches
in journal order.
The pusher keeps no cursor: each connection begins by asking the streams for their last ids. What lies further back than
the streams' window is not pushed any more, as live data would stand behind it: readers are told, and fetch segments.
"""

import asyncio
import logging
import time
from collections.abc import Iterator

import hiredis

from himari_runtime import metrics
from himari_runtime.backoff import Backoff
from himari_runtime.messages import START, Kind, Position, Record
from himari_runtime.settings import PushedBuffer
from himari_runtime.transport import epochs
from himari_runtime.transport.chunks import Packer, split
from himari_runtime.transport.copies import Copies, shorten, thin
from himari_runtime.transport.journal import Journal
from himari_runtime.transport.reader import JournalReader
from himari_runtime.transport.redis_link import LOST, RedisLink, RefusedError, last_ids, pack
from himari_runtime.transport.resume import back, resume
from himari_runtime.transport.segments import last_positions, segments
from himari_runtime.venues.dialect import Dialect

MULTI, EXEC = pack("MULTI"), pack("EXEC")
BATCH_BYTES = 1 << 20
TURN_BYTES = 64 << 10  # read, routed and compressed between two turns of the event loop
TURN_RECORDS = 32  # fewer are not worth a turn
CHUNK_BYTES = 64 << 10
STEADY_SECONDS = 60.0
FLOOR = 8  # at least this part of the window is kept in a buffer that is full

log = logging.getLogger(__name__)


class BufferAheadError(Exception):
    """The buffer holds an epoch that this journal has not reached; the next start will be above it."""


class Pusher:
    """Pushes one journal into one buffer until cancelled."""

    def __init__(self, settings: PushedBuffer, password: str, journal: Journal, dialect: Dialect) -> None:
        self._settings = settings
        self._password = password
        self._journal = journal
        self._route = dialect.route
        self._packer = Packer(dialect.primer)
        self._sequenced = dialect.sequenced
        self._copies = Copies(dialect.sequenced)
        self._last: dict[str, Position] = {}
        self._known = START  # the greatest of these; beyond it the buffer has nothing
        self._previous: dict[str, Position] = {}
        self._lengths: dict[int, int] = {}
        self._read = START
        self._lacking = START  # the last record that is left to the segments; the next chunk tells
        self._hole = START  # the last record that was lost or dropped before it was pushed
        self._pushed: Record | None = None
        self._confirmed = asyncio.Event()
        self.full = False  # the buffer takes nothing for want of memory; the journal keeps what it cannot take
        self.kept = 1.0  # the part of its window to which a full buffer was cut

    @property
    def backlog_records(self) -> int:
        """Records journaled and not yet confirmed by the buffer."""
        pushed = self._pushed.position if self._pushed else START
        if pushed.epoch == self._journal.epoch:
            return self._journal.n - pushed.n
        between = sum(n for epoch, n in self._lengths.items() if pushed.epoch <= epoch < self._journal.epoch)
        return self._journal.n + between - (pushed.n if pushed.epoch in self._lengths else 0)

    @property
    def backlog_seconds(self) -> float:
        """Age of the last confirmed record while there is a backlog."""
        if not self.backlog_records or self._pushed is None:
            return 0.0
        return max(0.0, (time.time_ns() - self._pushed.received_ns) / 1e9)

    async def caught_up(self) -> None:
        """Returns once the buffer has confirmed all that is journaled."""
        while self.backlog_records:
            self._confirmed.clear()
            await self._confirmed.wait()

    async def run(self) -> None:
        """Connects, pushes, connects again; raises BufferAheadError once the epoch file has been lifted."""
        backoff = Backoff(most=2.0)  # beside the collector: a try costs next to nothing
        while True:
            started = time.monotonic()
            try:
                await self._session()
            except LOST as error:
                metrics.PUSH_RECONNECTS.inc()
                if time.monotonic() - started > STEADY_SECONDS:
                    backoff.reset()
                log.warning("buffer %s:%s: %r", self._settings.host, self._settings.port, error)
            await asyncio.sleep(backoff.next())

    async def _session(self) -> None:
        link = await RedisLink.open(self._settings, self._password)
        try:
            reader = await self._resume(link)
            try:
                await self._feed(link, reader)
            finally:
                reader.close()
        finally:
            link.close()

    async def _resume(self, link: RedisLink) -> JournalReader:
        folder = self._journal.settings.path
        names = sorted({key.rpartition("|")[0] for key in self._journal.marks})
        self._last, self._known = {}, START
        self._learn(await self._ask(link, names))
        self._copies = Copies(self._sequenced)  # what is read again would count as repeated
        self._lengths = last_positions(segments(folder))
        floor = back(self._journal.position, self._settings.window_records, self._lengths)
        found = resume(folder, self._last, floor)
        self._previous = dict(found.previous)
        self._lacking = found.lacking
        self._read = found.segment.before if found.segment else START
        return JournalReader(folder, START, found.segment)

    async def _ask(self, link: RedisLink, names: list[str]) -> dict[str, Position]:
        last = {name: Position.parse(state.id) for name, state in (await last_ids(link, names)).items()}
        ahead = max((position.epoch for position in last.values()), default=0)
        if ahead > self._journal.epoch:
            epochs.lift(self._journal.settings.path, ahead)
            raise BufferAheadError(
                f"the buffer holds epoch {ahead}, the journal is at {self._journal.epoch}: start again to pass it"
            )
        return last

    def _learn(self, last: dict[str, Position]) -> None:
        self._last |= last
        self._known = max(self._last.values(), default=START)

    async def _feed(self, link: RedisLink, reader: JournalReader) -> None:
        pushed = 0.0
        while True:
            self._journal.appended.clear()
            batch, read = await self._collect(link, reader)
            if batch:
                pushed = time.monotonic()
                await self._push(link, batch)
            if read:
                self._confirm(read)
            if read is None or self._read == self._journal.position:
                await self._journal.appended.wait()
                await self._linger(pushed)

    async def _linger(self, pushed: float) -> None:
        """What comes after a quiet moment goes at once; what follows a push is gathered."""
        wait = pushed + self._settings.linger_ms / 1000 - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)

    async def _collect(self, link: RedisLink, reader: JournalReader) -> tuple[dict[str, list[Record]], Record | None]:
        """The next batch by stream, what the buffer has left out, and the last record read for it."""
        batch: dict[str, list[Record]] = {}
        size = 0
        last = None
        while size < BATCH_BYTES and (records := reader.read(TURN_BYTES)):
            self._note_hole(records[0])
            new = records[0].position > self._known
            for record in records:
                where = self._route(record)
                name = where.stream
                if name not in self._last:
                    self._learn(await self._ask(link, [name]))
                    new = False
                repeated = self._copies.is_copy(record, where)
                if new or record.position > self._last[name]:
                    batch.setdefault(name, []).append(shorten(record, where) if repeated else record)
                    size += len(record.payload)
                else:
                    self._previous[name] = record.position
            last = records[-1]
            self._read = last.position
            if len(records) < TURN_RECORDS:  # the end of the journal, as far as it goes: push first, then look again
                break
            await asyncio.sleep(0)
        return batch, last

    def _note_hole(self, first: Record) -> None:
        """Damage, and segments that were dropped unread, leave n out; which streams lack a record nobody knows."""
        if first.kind != Kind.EPOCH:
            if first.position != Position(self._read.epoch, self._read.n + 1):
                self._hole = Position(first.epoch, first.n - 1)
            return
        begins = self._read == Position(first.epoch, 0)
        reached = self._known if begins else self._read
        before = epochs.goes_on_from(first)
        if START < reached < before:  # a buffer that has nothing is told what it lacks by `resume`
            self._hole = before

    async def _push(self, link: RedisLink, batch: dict[str, list[Record]]) -> None:
        added: list[bytes] = []
        for name, records in batch.items():
            for run in split(records, CHUNK_BYTES, self._hole):
                added.append(self._add(name, run))
                if len(run) >= TURN_RECORDS:
                    await asyncio.sleep(0)
        backoff = Backoff(most=5.0)
        window = self._settings.window_records
        floor = window // FLOOR
        while not await self._commit(link, added):
            self._mark_full(True)
            if window > floor:
                window = max(floor, window // 2)
                await self._trim(link, window)
                self.kept = window / self._settings.window_records
            else:
                await asyncio.sleep(backoff.next())
        self._mark_full(False)
        self.kept = 1.0
        metrics.PUSHED_RECORDS.inc(sum(map(len, batch.values())))

    async def _trim(self, link: RedisLink, window: int) -> None:
        """Makes room by a shorter window: XADD, which trims to the full one, is refused by a Redis that is full."""
        cut = back(self._read, window, self._lengths)
        packed = b"".join(pack("XTRIM", name, "MINID", "=", str(cut)) for name in self._last)
        answers = await link.exchange(packed, len(self._last))
        for error in _errors(answers):
            raise RefusedError(str(error))
        removed = sum(answers)
        metrics.BUFFER_TRIMMED.inc(removed)
        if removed:
            log.warning("buffer is full: %d chunks before %s trimmed, %d records are left", removed, cut, window)

    def _mark_full(self, full: bool) -> None:
        self.full = full
        metrics.BUFFER_FULL.set(full)

    def _add(self, name: str, run: list[Record]) -> bytes:
        previous = self._previous.get(name, START)
        if run[0].position > self._hole:
            previous = max(previous, self._hole)
        chunk = self._packer.pack(thin(run), max(previous, self._lacking))
        self._lacking = START
        self._previous[name] = chunk.last
        cut = back(chunk.last, self._settings.window_records, self._lengths)
        return pack("XADD", name, "MINID", "~", str(cut), str(chunk.last), *chunk.fields())

    async def _commit(self, link: RedisLink, added: list[bytes]) -> bool:
        """False while Redis is full: nothing of the batch was taken. Raises RefusedError for any other refusal."""
        alone = len(added) == 1
        commands = added if alone else [MULTI, *added, EXEC]
        packed = b"".join(commands)
        answers = await link.exchange(packed, len(commands))
        refused = [str(error) for error in _errors(answers)]
        if any(text.startswith("OOM") for text in refused):
            return False
        if refused and not alone:
            raise RefusedError(refused[0])
        done = answers if alone else answers[-1]
        metrics.PUSHED_BYTES.inc(len(packed))
        for error in _errors(done):
            if "equal or smaller" not in str(error):
                raise RefusedError(str(error))
            metrics.PUSH_DUPLICATES.inc()
        return True

    def _confirm(self, record: Record) -> None:
        self._pushed = record
        self._confirmed.set()
        metrics.BACKLOG_RECORDS.set(self.backlog_records)


def _errors(answers: list[object]) -> Iterator[hiredis.ReplyError]:
    return (answer for answer in answers if isinstance(answer, hiredis.ReplyError))
