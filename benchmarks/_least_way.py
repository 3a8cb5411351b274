"""The least that a way from a venue into Redis can be: frames are packed as they come and written, and that is all.

No journal, no order across streams, no look at what a frame is, no answer waited for: what it takes is the machine's.
`python -m benchmarks._least_way VENUE_PORT CA REDIS_PORT`; it runs until it is ended."""

import asyncio
import ssl
import sys
import time

from benchmarks._frames import symbols
from himari_runtime.feeds.socket import Socket
from himari_runtime.messages import START, Kind, Record, streams
from himari_runtime.transport.chunks import Packer
from himari_runtime.transport.redis_link import pack
from himari_runtime.venues.registry import primer

STREAM = streams("binance", symbols(1))[1]


class Deaf(asyncio.Protocol):
    """Takes Redis' answers and thinks nothing of them."""


async def run(venue_port: int, ca_file: str, redis_port: int) -> None:
    """Until the venue closes."""
    buffer, _ = await asyncio.get_running_loop().create_connection(Deaf, "127.0.0.1", redis_port)
    packer = Packer(primer("binance"))
    n = 0

    def deliver(messages: list[bytes]) -> None:
        nonlocal n
        at = time.time_ns(), time.monotonic_ns()
        chunk = packer.pack([Record(1, n + i, Kind.FRAME, 1, *at, text) for i, text in enumerate(messages, 1)], START)
        n += len(messages)
        buffer.write(pack("XADD", STREAM, str(chunk.last), *chunk.fields()))

    tls = ssl.create_default_context(cafile=ca_file)
    socket = await Socket.open(f"wss://localhost:{venue_port}/stream?streams=all", tls)
    socket.hear(deliver)
    await socket.closed


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
