"""Runs on the edge: frames at a chosen rate into the real journal, pushed by the real pusher.

`feeder.py SETTINGS FRAMES BYTES_PER_S SECONDS` prints JSON once the buffer has confirmed all."""

import asyncio
import sys
import time
from pathlib import Path

import msgspec
import zstandard

from himari_runtime.feeds.intake import Intake
from himari_runtime.messages import Kind
from himari_runtime.settings import CollectorSettings, credential, load
from himari_runtime.transport.buffer import Pusher
from himari_runtime.transport.journal import Journal
from himari_runtime.venues import registry

TURN_SECONDS = 0.002
TURN_BYTES = 64 << 10  # between two turns of the event loop, as a full socket would bring


class Fed(msgspec.Struct):
    """Bytes are the frames'; `behind` is the backlog, in records, when the last frame had been journaled."""

    records: int
    frames: int
    bytes: int
    seconds: float
    behind: int
    drain_seconds: float
    cpu_seconds: float
    ended_ns: int


async def feed(settings: CollectorSettings, frames: list[bytes], rate: float, seconds: float) -> Fed:
    """Journals and pushes; what the machine is too slow for is journaled later, never left out."""
    dialect = registry.dialect(settings.venue.name)
    journal = Journal.open(settings.journal, settings.source.name, dialect.route)
    intake = Intake(dialect, journal)
    pusher = Pusher(settings.buffer, credential(settings.buffer.credential), journal, dialect)
    pushing = asyncio.create_task(pusher.run())
    cpu, began = time.process_time(), time.monotonic()
    count = size = 0
    while size < rate * seconds:
        due = min(rate * (time.monotonic() - began), size + TURN_BYTES, rate * seconds)
        while size < due:
            frame = frames[count % len(frames)]
            intake.take(Kind.FRAME, frame)
            count, size = count + 1, size + len(frame)
        await asyncio.sleep(TURN_SECONDS)
    fed, ended_ns, behind = time.monotonic(), time.time_ns(), pusher.backlog_records
    await pusher.caught_up()
    drained = time.monotonic() - fed
    pushing.cancel()
    fed_cpu = time.process_time() - cpu
    records = journal.n
    journal.close()
    return Fed(records, count, size, fed - began, behind, drained, fed_cpu, ended_ns)


if __name__ == "__main__":
    path, frames_file, bytes_per_s, for_seconds = sys.argv[1:]
    content = msgspec.msgpack.decode(
        zstandard.ZstdDecompressor().decompress(Path(frames_file).read_bytes()), type=list[bytes]
    )
    fed = asyncio.run(feed(load(Path(path), CollectorSettings), content, float(bytes_per_s), float(for_seconds)))
    sys.stdout.buffer.write(msgspec.json.encode(fed) + b"\n")
