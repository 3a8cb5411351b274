"""Book snapshots, one after the other, until each is new enough for its book."""

import asyncio
import logging
from collections.abc import Callable

from himari_runtime.backoff import Backoff
from himari_runtime.feeds.answers import Answers
from himari_runtime.feeds.rest import RestError
from himari_runtime.messages import Channel
from himari_runtime.venues.dialect import Dialect

log = logging.getLogger(__name__)


class Snapshots:
    """The queue of symbols whose book waits for a snapshot of `levels` a side."""

    def __init__(self, answers: Answers, dialect: Dialect, levels: int) -> None:
        self._answers = answers
        self._call = dialect.calls.snapshot
        self._levels = levels
        self._wanted: asyncio.Queue[str] = asyncio.Queue()

    def want(self, symbol: str) -> None:
        """Puts `symbol` at the end of the queue."""
        self._wanted.put_nowait(symbol)

    async def run(self, deliver: Callable[[str, int], bool]) -> None:
        """Fetches; `deliver` takes symbol and snapshot id, and returns False where it is too old."""
        backoff = Backoff(first=0.1, most=10.0)
        while True:
            symbol = await self._wanted.get()
            if await self._fetch(symbol, deliver):
                backoff.reset()
            else:
                self.want(symbol)
                await asyncio.sleep(backoff.next())

    async def _fetch(self, symbol: str, deliver: Callable[[str, int], bool]) -> bool:
        call = self._call(symbol, self._levels)
        try:
            _, taken = await self._answers.fetch(symbol, call)
        except RestError as error:
            log.warning("snapshot of %s: %s", symbol, error)
            return False
        return taken.route.channel is Channel.SNAPSHOT and deliver(symbol, taken.route.last_id)
