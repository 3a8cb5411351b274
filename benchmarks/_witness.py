"""Reads a buffer as a consumer does and notes when each entry could be read.

`python -m benchmarks._witness PORT OUT SYMBOL...`; it prints a line when it reads, and ends at the end of its input."""

import gc
import select
import socket
import sys
import time
from pathlib import Path
from typing import Any

import hiredis
import msgspec

from himari_runtime.messages import streams
from himari_runtime.transport.redis_link import pack

BLOCK_MS = 200
COUNT = 1000
READ_BYTES = 1 << 20
Seen = tuple[int, bytes, list[bytes]]  # ns of the monotonic clock, id, fields


def watch(port: int, names: tuple[str, ...]) -> list[Seen]:
    """All entries until standard input ends. A client's own cost would count as the collector's delay: this one is a
    socket and hiredis."""
    cursor: dict[bytes, bytes] = {name.encode(): b"0-0" for name in names}
    found: list[Seen] = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answers = hiredis.Reader()
        print("reading", flush=True)
        while not select.select([sys.stdin], [], [], 0)[0]:
            connection.sendall(pack("XREAD", "COUNT", COUNT, "BLOCK", BLOCK_MS, "STREAMS", *cursor, *cursor.values()))
            answer = _answer(connection, answers)
            now = time.monotonic_ns()
            for name, entries in answer or ():
                cursor[name] = entries[-1][0]
                found += [(now, entry_id, fields) for entry_id, fields in entries]
    return found


def _answer(connection: socket.socket, answers: hiredis.Reader) -> Any:
    """What Redis says next; raises what it refuses."""
    while (answer := answers.gets()) is False:
        answers.feed(connection.recv(READ_BYTES))
    if isinstance(answer, hiredis.ReplyError):
        raise answer
    return answer


if __name__ == "__main__":
    gc.disable()  # what is kept grows, and a look through it stops the reader for tens of milliseconds
    port, out, *symbols = sys.argv[1:]
    seen = watch(int(port), streams("binance", tuple(symbols)))
    Path(out).write_bytes(msgspec.msgpack.encode(seen))
