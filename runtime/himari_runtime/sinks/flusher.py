"""Stores beside the event loop; a disk that hangs keeps nobody."""

import asyncio
from collections.abc import Callable

from himari_runtime.aside import aside


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
        self._running = aside(self._store)
        await asyncio.shield(self._running)
