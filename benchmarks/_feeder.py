"""Runs on the edge: frames at a chosen rate into the real journal, pushed by the real pusher.

`feeder.py SETTINGS FRAMES BYTES_PER_S SECONDS LINES` prints JSON once the buffer has confirmed all. The frames come
again and again, but the venue's ids in them go on: what repeats an id is a copy to the pusher, which leaves it out."""

import asyncio
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import zstandard

from himari_runtime.feeds.intake import Intake
from himari_runtime.messages import Channel, Kind, Record
from himari_runtime.settings import CollectorSettings, credential, load
from himari_runtime.transport.buffer import Pusher
from himari_runtime.transport.journal import Journal
from himari_runtime.venues import registry

TURN_SECONDS = 0.002
TURN_BYTES = 64 << 10  # between two turns of the event loop, as a full socket would bring
ID = re.compile(rb'(?<="[tUu]":)(\d+)')


class Fed(msgspec.Struct):
    """Bytes are the frames', each counted once; `kept` are the records without the copies that further lines brought;
    `last_ns` is when the last frame was received; `behind` is the backlog, in records, when it had been journaled."""

    records: int
    kept: int
    frames: int
    bytes: int
    seconds: float
    behind: int
    drain_seconds: float
    cpu_seconds: float
    last_ns: int
    ended_ns: int


def endless(frames: list[bytes], venue: str) -> Iterator[bytes]:
    """The frames round after round; those of a symbol's channel have ids that follow those of the round before."""
    yield from frames
    parts = [ID.split(frame) for frame in frames]  # text, id, text, perhaps id, text
    steps = _steps(frames, venue)
    moved = 0
    while True:
        moved += 1
        for part, step in zip(parts, steps, strict=True):
            yield b"".join(
                b"%d" % (int(piece) + step * moved) if place % 2 else piece for place, piece in enumerate(part)
            )


def _steps(frames: list[bytes], venue: str) -> list[int]:
    """By how much each frame's ids grow in a round: what its symbol's trades, or its book, used of them."""
    route = registry.router(venue)
    places = [route(Record(1, n, Kind.FRAME, 0, n, n, frame)) for n, frame in enumerate(frames, 1)]
    keys = [(place.symbol, place.channel is Channel.TRADE) for place in places]
    used: dict[tuple[str, bool], tuple[int, int]] = {}
    for key, place in zip(keys, places, strict=True):
        first, last = used.get(key, (place.first_id, place.last_id))
        used[key] = min(first, place.first_id), max(last, place.last_id)
    return [used[key][1] - used[key][0] + 1 for key in keys]


async def feed(settings: CollectorSettings, frames: list[bytes], rate: float, seconds: float, lines: int) -> Fed:
    """Journals each frame once a line and pushes; what the machine is too slow for is journaled later, never left
    out."""
    dialect = registry.dialect(settings.venue.name)
    journal = Journal.open(settings.journal, settings.source.name, dialect.route)
    intake = Intake(dialect, journal)
    pusher = Pusher(settings.buffer, credential(settings.buffer.credential), journal, dialect)
    pushing = asyncio.create_task(pusher.run())
    source = endless(frames, settings.venue.name)
    cpu, began = time.process_time(), time.monotonic()
    count = size = last_ns = 0
    while size < rate * seconds:
        due = min(rate * (time.monotonic() - began), size + TURN_BYTES, rate * seconds)
        ready: list[bytes] = []
        while size < due:
            ready.append(next(source))
            count, size = count + 1, size + len(ready[-1])
        if ready:
            taken = [intake.take_all(Kind.FRAME, ready, line) for line in range(lines)]
            last_ns = taken[0][-1].record.received_ns
        await asyncio.sleep(TURN_SECONDS)
    fed, ended_ns, behind = time.monotonic(), time.time_ns(), pusher.backlog_records
    await pusher.caught_up()
    drained = time.monotonic() - fed
    pushing.cancel()
    fed_cpu = time.process_time() - cpu
    records = journal.n
    journal.close()
    return Fed(
        records=records,
        kept=records - (lines - 1) * count,
        frames=count,
        bytes=size,
        seconds=fed - began,
        behind=behind,
        drain_seconds=drained,
        cpu_seconds=fed_cpu,
        last_ns=last_ns,
        ended_ns=ended_ns,
    )


if __name__ == "__main__":
    path, frames_file, bytes_per_s, for_seconds, of_lines = sys.argv[1:]
    content = msgspec.msgpack.decode(
        zstandard.ZstdDecompressor().decompress(Path(frames_file).read_bytes()), type=list[bytes]
    )
    wanted = load(Path(path), CollectorSettings)
    said = asyncio.run(feed(wanted, content, float(bytes_per_s), float(for_seconds), int(of_lines)))
    sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
