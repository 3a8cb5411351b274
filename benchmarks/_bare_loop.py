"""The least that a receiver in Python can be: a loop of `websockets` that does nothing with a frame.

`python -m benchmarks._bare_loop PORT CA FRAMES` prints the CPU seconds from the first frame to the last."""

import asyncio
import ssl
import sys
import time

from websockets.asyncio.client import connect


async def receive(port: int, ca_file: str, frames: int) -> float:
    """CPU seconds of this process."""
    tls = ssl.create_default_context(cafile=ca_file)
    async with connect(
        f"wss://localhost:{port}/stream?streams=all", ssl=tls, compression=None, max_queue=1024, proxy=None
    ) as line:
        await line.recv(decode=False)
        began = time.process_time()
        for _ in range(frames - 1):
            await line.recv(decode=False)
        return time.process_time() - began


if __name__ == "__main__":
    print(asyncio.run(receive(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))
