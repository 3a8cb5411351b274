"""The way's stages one by one, in this process: a journal, pushed into a Redis as shipped, read and stored."""

import asyncio
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks._frames import symbols
from benchmarks._redis import PASSWORD, Redis
from himari_runtime.messages import START, Kind, Record, streams
from himari_runtime.settings import JournalSettings, ParquetSettings, PushedBuffer
from himari_runtime.sinks.parquet import ParquetStore
from himari_runtime.transport.buffer import Pusher
from himari_runtime.transport.chunks import Packer
from himari_runtime.transport.journal import Journal
from himari_runtime.transport.redis_link import RedisLink, pack
from himari_runtime.transport.stream_reader import StreamReader
from himari_runtime.venues.registry import dialect

VENUE = "binance"
BINANCE = dialect(VENUE)
TOGETHER = 64  # frames that a busy socket has ready at once


@contextmanager
def journal_in(folder: Path) -> Iterator[Journal]:
    """A journal of its own below `folder`."""
    settings = JournalSettings(
        path=folder / f"journal-{time.monotonic_ns()}",
        max_bytes=1 << 32,
        segment_bytes=1 << 30,
        min_free_bytes=0,
        segment_seconds=60,
        fsync_ms=200,
    )
    journal = Journal.open(settings, "bench", BINANCE.route)
    try:
        yield journal
    finally:
        journal.close()


def fill(journal: Journal, frames: list[bytes], together: int = TOGETHER) -> None:
    """Appends all, so many with one write."""
    for at in range(0, len(frames), together):
        now = time.time_ns()
        journal.append_all(Kind.FRAME, frames[at : at + together], line=0, received_ns=now, monotonic_ns=now)


def write_bare(path: Path, frames: Iterable[bytes]) -> None:
    """A write(2) each."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    for frame in frames:
        os.write(descriptor, frame)
    os.close(descriptor)


async def push(journal: Journal, server: Redis) -> float:
    """Seconds until the buffer has all that the journal holds."""
    access = PushedBuffer(
        host="127.0.0.1", port=server.port, user="pusher", credential="", window_records=10**8, linger_ms=0
    )
    began = time.perf_counter()
    pusher = Pusher(access, PASSWORD, journal, BINANCE)
    running = asyncio.create_task(pusher.run())
    await pusher.caught_up()
    seconds = time.perf_counter() - began
    running.cancel()
    return seconds


async def repeat(server: Redis, count: int) -> float:
    """Seconds that the packed writer takes for the entries that are there, under other names."""
    with server.client() as client:
        entries = [
            (f"again:{name}", entry_id, fields)
            for name in streams(VENUE, symbols(count))
            for entry_id, fields in client.xrange(name)
        ]
    link = await RedisLink.connect("127.0.0.1", server.port)
    began = time.perf_counter()
    commands = [pack("XADD", name, entry_id, b"z1", fields[b"z1"]) for name, entry_id, fields in entries]
    await link.exchange(b"".join(commands), len(commands))
    return time.perf_counter() - began


async def consume(server: Redis, count: int, folder: Path, records: int, *, store: bool) -> float:
    """Seconds until `records` were read in their order, and stored as Parquet if that is wanted."""
    parquet = ParquetSettings(path=folder / "parquet", min_free_bytes=0, flush_seconds=60, flush_bytes=1 << 26)
    parquet.path.mkdir(exist_ok=True)
    kept = ParquetStore(parquet, "bench", VENUE, lambda: b"")
    link = await RedisLink.connect("127.0.0.1", server.port)
    reader = StreamReader(link, streams(VENUE, symbols(count)), START, {}, Packer(BINANCE.primer), conceded=START)
    began, found = time.perf_counter(), 0
    while found < records:
        async for read in reader.read():
            found += len(read)
            if store:
                _store(kept, read)
    kept.flush()
    link.close()
    return time.perf_counter() - began


def _store(kept: ParquetStore, records: list[Record]) -> None:
    for record in records:
        kept.add(record, BINANCE.route(record))
    if kept.payload_bytes >= 1 << 26:
        kept.flush()
