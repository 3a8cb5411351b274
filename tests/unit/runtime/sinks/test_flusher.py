import asyncio
import threading

import pytest

from himari_runtime.sinks.flusher import Flusher


class Disk:
    """Writes when it is let; `parallel` is how many writes ever ran at once."""

    def __init__(self) -> None:
        self.began = threading.Semaphore(0)
        self.let = threading.Semaphore(0)
        self.stored = 0
        self.running = 0
        self.parallel = 0

    def write(self) -> None:
        self.running += 1
        self.parallel = max(self.parallel, self.running)
        self.began.release()
        self.let.acquire()
        self.running -= 1
        self.stored += 1


@pytest.mark.asyncio
async def test_who_gives_up_leaves_the_write_and_the_next_waits_for_it() -> None:
    disk = Disk()
    flusher = Flusher(disk.write)
    first = asyncio.create_task(flusher.flush())
    await asyncio.to_thread(disk.began.acquire)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    second = asyncio.create_task(flusher.flush())
    disk.let.release(2)
    await second
    assert (disk.stored, disk.parallel) == (2, 1)


@pytest.mark.asyncio
async def test_an_error_reaches_who_asked_and_the_next_tries_again() -> None:
    failures = [ValueError("first")]

    def store() -> None:
        if failures:
            raise failures.pop()

    flusher = Flusher(store)
    with pytest.raises(ValueError, match="first"):
        await flusher.flush()
    await flusher.flush()
    assert failures == []
