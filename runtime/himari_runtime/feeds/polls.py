"""What is asked by the clock: rules of the symbols, closed candles, the top of the book."""

import asyncio
import logging
import time

from himari_runtime.feeds.answers import Answers
from himari_runtime.feeds.rest import RestError
from himari_runtime.venues.dialect import Call, Dialect

HOUR_SECONDS = 3600.0
MINUTE_SECONDS = 60
SETTLED_SECONDS = 3.0  # after a minute's end the venue's candle no longer changes
RETRY_SECONDS = 5.0
ATTEMPTS = 5

log = logging.getLogger(__name__)


class Polls:
    """Periodic calls for `symbols`; one that fails is retried a few times, then left for its next turn."""

    def __init__(self, answers: Answers, dialect: Dialect, symbols: tuple[str, ...], book_seconds: float) -> None:
        self._answers = answers
        self._calls = dialect.calls
        self._symbols = symbols
        self._book_seconds = book_seconds

    async def exchange_info(self) -> None:
        """At the start and each hour."""
        calls = self._calls.exchange_info(self._symbols)
        while True:
            for call in calls:
                await self._fetch("_", call)
            await asyncio.sleep(HOUR_SECONDS)

    async def klines(self) -> None:
        """Each candle of one minute, a few seconds after it closed."""
        while True:
            await asyncio.sleep(MINUTE_SECONDS - (time.time() - SETTLED_SECONDS) % MINUTE_SECONDS)
            open_ms = (int(time.time()) // MINUTE_SECONDS - 1) * MINUTE_SECONDS * 1000
            for symbol in self._symbols:
                await self._fetch(symbol, self._calls.closed_kline(symbol, open_ms))

    async def books(self) -> None:
        """Each symbol's top of the book once a period, spread evenly over it."""
        while True:
            for symbol in self._symbols:
                await asyncio.sleep(self._book_seconds / len(self._symbols))
                await self._fetch(symbol, self._calls.book_poll(symbol))

    async def _fetch(self, symbol: str, call: Call) -> None:
        for _ in range(ATTEMPTS):
            try:
                await self._answers.fetch(symbol, call)
            except RestError as error:
                log.warning("%s of %s: %s", call.endpoint, symbol, error)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return
