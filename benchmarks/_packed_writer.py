"""The packed writer alone: frames that are in memory, an entry each, with the fields of a record.

`python -m benchmarks._packed_writer FRAMES PORT` prints the seconds that it took until Redis had confirmed all."""

import asyncio
import sys
import time
from pathlib import Path

import msgspec

from himari_runtime.messages import Kind, Record
from himari_runtime.transport.redis_link import RedisLink, pack
from himari_runtime.venues.registry import dialect

BATCH = 500
MOST = 100_000_000


async def write(frames: list[bytes], port: int) -> float:
    """Seconds."""
    route = dialect("binance").route
    names = [route(Record(1, n, Kind.FRAME, 0, n, n, frame)).stream for n, frame in enumerate(frames, 1)]
    link = await RedisLink.connect("127.0.0.1", port)
    began = time.perf_counter()
    for at in range(0, len(frames), BATCH):
        commands = [
            _add(name, n, frame)
            for n, name, frame in zip(
                range(at + 1, at + BATCH + 1), names[at : at + BATCH], frames[at : at + BATCH], strict=False
            )
        ]
        await link.exchange(b"".join(commands), len(commands))
    return time.perf_counter() - began


def _add(name: str, n: int, frame: bytes) -> bytes:
    fields = ("kind", 0, "line", 0, "received_ns", time.time_ns(), "monotonic_ns", time.monotonic_ns())
    return pack("XADD", name, "MAXLEN", "~", MOST, f"1-{n}", *fields, "payload", frame)


if __name__ == "__main__":
    made = msgspec.msgpack.decode(Path(sys.argv[1]).read_bytes(), type=list[bytes])
    print(asyncio.run(write(made, int(sys.argv[2]))))
