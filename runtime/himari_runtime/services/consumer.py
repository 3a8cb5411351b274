"""Reads an edge's buffer and stores every record as Parquet, once, in order; what it missed becomes a gap."""

import asyncio
import logging
import signal
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import msgspec

from himari_runtime import metrics
from himari_runtime.backoff import Backoff
from himari_runtime.messages import Kind, Position, Record, streams
from himari_runtime.settings import ConsumerSettings, credential
from himari_runtime.sinks.errors import DiskLowError, StoreError, StoreInUseError, refusal
from himari_runtime.sinks.flusher import Flusher
from himari_runtime.sinks.lock import StoreLock
from himari_runtime.sinks.parquet import ParquetStore, open_store
from himari_runtime.sinks.parquet_files import venue_folder
from himari_runtime.systemd import Notifier
from himari_runtime.transport.catch_up import CatchUp
from himari_runtime.transport.chunks import Packer
from himari_runtime.transport.continuity import Continuity, Seen
from himari_runtime.transport.merge import OvertakenError
from himari_runtime.transport.recovery import Router
from himari_runtime.transport.redis_link import LOST, RedisLink
from himari_runtime.transport.resume import stream_marks
from himari_runtime.transport.segment_client import UNREACHABLE
from himari_runtime.transport.stream_reader import StreamReader
from himari_runtime.venues import registry

TELL_SECONDS = 1.0
READ_EVERY_SECONDS = 0.1  # a read names every stream: with many of them it would cost more than what it brings
STEADY_SECONDS = 60.0
RECONNECT_MOST = 30.0
STORE_MOST = 30.0
DRAIN_SECONDS = 4.0  # of the 5 s that a stop may take
NOT_STORING = "cannot store"  # how the service's status begins then; `himari status` knows it
CATCHING_UP = "catching up"  # and then; it knows this too
IN_USE = 9

log = logging.getLogger(__name__)


class Consumer:
    """One source's consumer; `stop` makes `run` return after what was read is stored.

    Raises StoreInUseError where another has the store, StoreError where the disk refuses it."""

    def __init__(self, settings: ConsumerSettings, password: str, route: Router, primer: bytes) -> None:
        self.stop = asyncio.Event()
        self._settings = settings
        self._password = password
        self._route = route
        self._packer = Packer(primer)
        self._sequenced = registry.dialect(settings.venue.name).sequenced
        self._notifier = Notifier()
        self._lock = StoreLock(settings.parquet.path, settings.source.name, settings.venue.name)
        cursor, memory = open_store(settings.parquet, settings.source.name, settings.venue.name)
        seen = msgspec.json.decode(memory, type=Seen) if memory else Seen()
        metrics.STORED_NS.set(max((mark.received_ns for mark in seen.marks.values()), default=0))
        self._continuity = Continuity(settings.venue.name, self._sequenced, cursor, seen)
        self._store = ParquetStore(
            settings.parquet,
            settings.source.name,
            settings.venue.name,
            lambda: msgspec.json.encode(self._continuity.seen),
        )
        self._flusher = Flusher(self._store.flush)
        self._names = streams(settings.venue.name, settings.venue.symbols)
        folder = venue_folder(settings.parquet.path, settings.venue.name) / f"{settings.source.name}.catch-up"
        self._catch_up = CatchUp(
            settings.segments, folder, route, self._sequenced, min_free_bytes=settings.parquet.min_free_bytes
        )
        self._is_behind = False  # records come from segments
        self._waits = ""  # why nothing goes on
        self._flushed = self._told = time.monotonic()

    async def run(self) -> int:
        """Reads until stopped; returns the exit status: 0 when all that was read is stored."""
        self._notifier.ready()
        work = asyncio.create_task(self._work(), name="consumer")
        stopped = asyncio.create_task(self.stop.wait(), name="stop")
        try:
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():  # it ends only by a fault of ours
                work.result()
            self._notifier.stopping()
            await _cancel(work)
            return await self._drain()
        finally:
            await _cancel(work, stopped)

    async def _work(self) -> None:
        """Every loss of the connection is followed by another attempt."""
        backoff = Backoff(most=RECONNECT_MOST)
        while True:
            started = time.monotonic()
            try:
                await self._session()
            except OvertakenError as hole:
                await self._fill(hole.until)
            except LOST as error:
                metrics.READ_RECONNECTS.inc()
                log.warning("buffer %s:%s: %r", self._settings.buffer.host, self._settings.buffer.port, error)
                if time.monotonic() - started > STEADY_SECONDS:
                    backoff.reset()
                await self._flush_if_due()
                await self._pause(backoff.next(), f"no connection: {error!r}")

    async def _session(self) -> None:
        link = await RedisLink.open(self._settings.buffer, self._password)
        try:
            seen = stream_marks(self._continuity.seen.marks)
            conceded = self._catch_up.conceded
            reader = StreamReader(link, self._names, self._continuity.cursor, seen, self._packer, conceded=conceded)
            await reader.look()
            while True:
                async for records in reader.read():
                    self._take(records, reader.is_broken)
                    await self._flush_if_due()
                await self._flush_if_due()
                if reader.caught_up:
                    await asyncio.sleep(READ_EVERY_SECONDS)
        finally:
            link.close()

    async def _fill(self, until: Position) -> None:
        """Stores what the stream no longer has, from the journal's segments; until then nothing newer is read."""
        log.warning("%s from %s: the buffer lacks records until %s", CATCHING_UP, self._continuity.cursor, until)
        self._is_behind = True
        metrics.CATCHING_UP.set(1)
        backoff = Backoff(most=STORE_MOST)
        while self._catch_up.conceded < until:
            try:
                await self._replay(until)
            except UNREACHABLE as error:
                log.warning("segments of %s: %r", self._settings.segments.host, error)
                await self._flush_if_due()
                await self._pause(backoff.next(), f"{CATCHING_UP}: the edge's segments cannot be read: {error!r}")
            except OSError as error:
                refused = refusal(self._settings.parquet.path, error)
                log.error("%s: %s", NOT_STORING, refused)
                await self._flush_if_due()
                self._count_refusal(refused)
                await self._pause(backoff.next(), f"{NOT_STORING}: {refused}")
            else:
                metrics.STORE_FAILING.set(0)
        self._is_behind = False
        metrics.CATCHING_UP.set(0)
        metrics.CATCH_UP_BEHIND.set(0)
        metrics.CATCH_UP_LEFT.set(0)

    async def _replay(self, until: Position) -> None:
        telling = asyncio.create_task(self._tell_on(), name="tell")
        try:
            async with aclosing(self._catch_up.runs(self._continuity.cursor, until)) as runs:
                async for run in runs:
                    if run.after_hole:
                        self._continuity.lose(run.records[0], self._names)
                    self._take(run.records, lambda record: False)
                    await self._flush_if_due()
        finally:
            await _cancel(telling)

    async def _tell_on(self) -> None:
        """Alive also while a segment is on its way."""
        while True:
            metrics.CATCH_UP_BEHIND.set(self._catch_up.behind)
            metrics.CATCH_UP_LEFT.set(self._catch_up.seconds_left or 0)
            self._tell()
            await asyncio.sleep(TELL_SECONDS)

    def _take(self, records: list[Record], is_broken: Callable[[Record], bool]) -> None:
        for record in records:
            where = self._route(record)
            for gap in self._continuity.gaps(record, where, is_broken(record)):
                metrics.GAPS.inc()
                self._store.add(gap, self._route(gap))
            if record.kind != Kind.COPY:
                self._store.add(record, where)
            self._continuity.note(record, where)
            if record.kind == Kind.FRAME and where.channel in self._sequenced:
                metrics.FRAME_NS.set(record.received_ns)
        metrics.LAG_SECONDS.set(max(0.0, (time.time_ns() - records[-1].received_ns) / 1e9))

    async def _flush_if_due(self) -> None:
        """Stores when it is time; while the disk refuses nothing more is read, as this does not return."""
        self._tell()
        limits, backoff = self._settings.parquet, Backoff(first=1.0, most=STORE_MOST)
        due = time.monotonic() - self._flushed >= limits.flush_seconds
        while self._store.rows and (due or self._store.payload_bytes >= limits.flush_bytes):
            try:
                await self._flush()
            except StoreError as error:
                log.error("%s: %s", NOT_STORING, error)
                await self._pause(backoff.next(), f"{NOT_STORING}: {error}")
        if due:
            self._flushed = time.monotonic()

    async def _flush(self) -> None:
        try:
            await self._flusher.flush()
        except StoreError as error:
            self._count_refusal(error)
            raise
        metrics.STORE_FAILING.set(0)
        self._flushed = time.monotonic()

    def _count_refusal(self, error: StoreError) -> None:
        metrics.STORE_ERRORS.inc()
        metrics.STORE_FAILING.set(1)
        metrics.DISK_LOW.set(isinstance(error, DiskLowError))

    async def _drain(self) -> int:
        """Stores what was read, as far as that takes no longer than a stop may; the buffer has the rest."""
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                await self._flush()
        except (StoreError, TimeoutError) as error:
            why = str(error) or f"{self._settings.parquet.path}: the disk does not answer"
            log.error("stopped with %d records unstored; the buffer still has them: %s", self._store.rows, why)
            return 1  # a write that hangs may go on: the lock is held as long as the process is there
        self._lock.release()
        return 0

    async def _pause(self, seconds: float, why: str) -> None:
        """Waits, alive."""
        until = time.monotonic() + seconds
        self._waits = why
        while (left := until - time.monotonic()) > 0:
            self._tell()
            await asyncio.sleep(min(left, TELL_SECONDS))
        self._waits = ""

    def _tell(self) -> None:
        metrics.LAG_RECORDS.set(self._store.rows)
        if time.monotonic() - self._told < TELL_SECONDS and not self._waits:
            return
        self._told = time.monotonic()
        self._notifier.alive()
        self._notifier.status(self._waits or self._state())

    def _state(self) -> str:
        if not self._is_behind:
            return f"at {self._continuity.cursor}, {self._store.rows} records not yet stored"
        left = self._catch_up.seconds_left
        about = "waiting for the edge's segments" if left is None else f"about {left:.0f} s left"
        return f"{CATCHING_UP}: {self._catch_up.behind} records behind, {about}"


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def run(settings: ConsumerSettings) -> int:
    """The service; returns its exit status: 1 where the disk refused what was read, 9 where another has the store.

    Raises SettingsError."""
    venue, password = settings.venue.name, credential(settings.buffer.credential)
    try:
        consumer = Consumer(settings, password, registry.router(venue), registry.primer(venue))
    except (StoreError, StoreInUseError) as error:
        log.error("the store cannot be opened: %s", error)
        return IN_USE if isinstance(error, StoreInUseError) else 1
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, consumer.stop.set)
    serving = asyncio.create_task(metrics.serve(settings.metrics.address, settings.metrics.port))
    try:
        return await consumer.run()
    finally:
        serving.cancel()
