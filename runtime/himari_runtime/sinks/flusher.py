"""Stores beside the event loop, in a thread that nobody has to wait for: a disk that hangs ends with the process."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress


class Flusher:
    """Runs `store`, never twice at once. Who is cancelled while it runs leaves it running."""

    def __init__(self, store: Callable[[], None]) -> None:
        self._store = store
        self._running: asyncio.Future[None] | None = None

    async def flush(self) -> None:
        """Returns when all that was there at the call is stored; raises what `store` raises."""
        if self._running is not None and not self._running.done():
            await asyncio.wait([self._running])
            self._running.exception()  # was for the caller who is gone; what failed is tried again now
        self._running = self._start()
        await asyncio.shield(self._running)

    def _start(self) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def work() -> None:
            error: Exception | None = None
            try:
                self._store()
            except Exception as caught:
                error = caught
            with suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(_settle, done, error)

        threading.Thread(target=work, name="store", daemon=True).start()
        return done


def _settle(done: asyncio.Future[None], error: Exception | None) -> None:
    if done.cancelled():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
