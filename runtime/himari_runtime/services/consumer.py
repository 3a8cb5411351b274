"""Reads an edge's buffer and stores every record as Parquet, once, in order; what it missed becomes a gap."""

import asyncio
import logging
import signal
import time

import msgspec

from himari_runtime import metrics
from himari_runtime.backoff import Backoff
from himari_runtime.messages import Kind, Record, streams
from himari_runtime.settings import ConsumerSettings, credential
from himari_runtime.sinks.parquet import DiskLowError, ParquetStore, open_store
from himari_runtime.systemd import Notifier
from himari_runtime.transport.chunks import Packer
from himari_runtime.transport.continuity import Continuity, Seen
from himari_runtime.transport.recovery import Router
from himari_runtime.transport.redis_link import LOST, RedisLink
from himari_runtime.transport.resume import stream_marks
from himari_runtime.transport.stream_reader import StreamReader
from himari_runtime.venues import registry

TELL_SECONDS = 1.0
READ_EVERY_SECONDS = 0.1  # a read names every stream: with many of them it would cost more than what it brings
ROOM_SECONDS = 2.0
STEADY_SECONDS = 60.0
RECONNECT_MOST = 30.0

log = logging.getLogger(__name__)


class Consumer:
    """One source's consumer; `stop` makes `run` return after what was read is stored."""

    def __init__(self, settings: ConsumerSettings, password: str, route: Router, primer: bytes) -> None:
        self.stop = asyncio.Event()
        self._settings = settings
        self._password = password
        self._route = route
        self._packer = Packer(primer)
        self._sequenced = registry.dialect(settings.venue.name).sequenced
        self._notifier = Notifier()
        cursor, memory = open_store(settings.parquet, settings.source.name, settings.venue.name)
        seen = msgspec.json.decode(memory, type=Seen) if memory else Seen()
        metrics.STORED_NS.set(max((mark.received_ns for mark in seen.marks.values()), default=0))
        self._continuity = Continuity(settings.venue.name, cursor, seen)
        self._store = ParquetStore(
            settings.parquet, settings.source.name, settings.venue.name, lambda: msgspec.json.encode(seen)
        )
        self._flushed = self._told = time.monotonic()

    async def run(self) -> None:
        """Reads until stopped; every loss of the connection is followed by another attempt."""
        self._notifier.ready()
        backoff = Backoff(most=RECONNECT_MOST)
        while not self.stop.is_set():
            started = time.monotonic()
            try:
                await self._session()
            except LOST as error:
                if self.stop.is_set():
                    break
                metrics.READ_RECONNECTS.inc()
                log.warning("buffer %s:%s: %r", self._settings.buffer.host, self._settings.buffer.port, error)
                if time.monotonic() - started > STEADY_SECONDS:
                    backoff.reset()
                await self._flush_if_due()
                await self._pause(backoff.next(), f"no connection: {error!r}")
        self._notifier.stopping()
        await self._drain()

    async def _session(self) -> None:
        link = await RedisLink.open(self._settings.buffer, self._password)
        stopping = asyncio.create_task(self._hang_up(link))
        try:
            names = streams(self._settings.venue.name, self._settings.venue.symbols)
            seen = stream_marks(self._continuity.seen.marks)
            reader = StreamReader(link, names, self._continuity.cursor, seen, self._packer)
            while not self.stop.is_set():
                async for records in reader.read():
                    self._take(records, reader)
                    await self._flush_if_due()
                    if self.stop.is_set():
                        return
                await self._flush_if_due()
                if reader.caught_up:
                    await asyncio.sleep(READ_EVERY_SECONDS)
        finally:
            stopping.cancel()
            link.close()

    async def _hang_up(self, link: RedisLink) -> None:
        """Ends a read that waits, for a Redis that may hang; what it would have brought stays in the buffer."""
        await self.stop.wait()
        link.close()

    def _take(self, records: list[Record], reader: StreamReader) -> None:
        for record in records:
            where = self._route(record)
            for gap in self._continuity.gaps(record, where, reader.is_broken(record)):
                metrics.GAPS.inc()
                self._store.add(gap, self._route(gap))
            self._store.add(record, where)
            self._continuity.note(record, where)
            if record.kind == Kind.FRAME and where.channel in self._sequenced:
                metrics.FRAME_NS.set(record.received_ns)
        metrics.LAG_SECONDS.set(max(0.0, (time.time_ns() - records[-1].received_ns) / 1e9))

    async def _flush_if_due(self) -> None:
        """Stores when it is time; while the disk is low nothing more is read, as this does not return."""
        self._tell()
        limits = self._settings.parquet
        due = time.monotonic() - self._flushed >= limits.flush_seconds
        while self._store.rows and (due or self._store.payload_bytes >= limits.flush_bytes):
            try:
                await asyncio.to_thread(self._store.flush)
            except DiskLowError as error:
                log.error("waiting for room: %s", error)
                await self._pause(ROOM_SECONDS, f"waiting for room: {error}")
                if self.stop.is_set():
                    return
            else:
                self._flushed = time.monotonic()
        if due:
            self._flushed = time.monotonic()

    async def _drain(self) -> None:
        try:
            await asyncio.to_thread(self._store.flush)
        except DiskLowError as error:
            log.error("stopped with %d records unstored; the buffer still has them: %s", self._store.rows, error)

    async def _pause(self, seconds: float, why: str) -> None:
        """Waits, alive; ends at once when stopped."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self.stop.is_set():
            self._tell(why)
            try:
                await asyncio.wait_for(self.stop.wait(), min(left, TELL_SECONDS))
            except TimeoutError:
                continue

    def _tell(self, why: str = "") -> None:
        metrics.LAG_RECORDS.set(self._store.rows)
        if time.monotonic() - self._told < TELL_SECONDS and not why:
            return
        self._told = time.monotonic()
        self._notifier.alive()
        self._notifier.status(why or f"at {self._continuity.cursor}, {self._store.rows} records not yet stored")


async def run(settings: ConsumerSettings) -> int:
    """The service; returns its exit status. Raises SettingsError."""
    venue = settings.venue.name
    consumer = Consumer(
        settings, credential(settings.buffer.credential), registry.router(venue), registry.primer(venue)
    )
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, consumer.stop.set)
    serving = asyncio.create_task(metrics.serve(settings.metrics.address, settings.metrics.port))
    try:
        await consumer.run()
    finally:
        serving.cancel()
    return 0
