"""Reads a buffer as a consumer does and notes when each entry could be read.

`python -m benchmarks._witness PORT OUT SYMBOL...`; it prints a line when it reads, and ends at the end of its input."""

import select
import sys
import time
from pathlib import Path
from typing import Any, cast

import msgspec
import redis

from himari_runtime.messages import streams

BLOCK_MS = 200
COUNT = 1000
Seen = tuple[int, bytes, list[bytes]]  # ns of the monotonic clock, id, fields


def watch(client: redis.Redis, names: tuple[str, ...]) -> list[Seen]:
    """All entries until standard input ends."""
    cursor: dict[str, bytes | str] = dict.fromkeys(names, "0-0")
    found: list[Seen] = []
    print("reading", flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        # redis-py declares more than it answers where nothing is decoded.
        answer: Any = client.xread(cast(Any, cursor), count=COUNT, block=BLOCK_MS)
        now = time.monotonic_ns()
        for name, entries in answer:
            cursor[name.decode()] = entries[-1][0]
            found += [
                (now, entry_id, [part for pair in fields.items() for part in pair]) for entry_id, fields in entries
            ]
    return found


if __name__ == "__main__":
    port, out, *symbols = sys.argv[1:]
    seen = watch(redis.Redis(port=int(port)), streams("binance", tuple(symbols)))
    Path(out).write_bytes(msgspec.msgpack.encode(seen))
