"""How far the venue's clock is from ours: a short REST call, halved."""

import asyncio
import logging

import msgspec

from himari_runtime.feeds import counters
from himari_runtime.feeds.rest import Answer, RestClient, RestError
from himari_runtime.venues.dialect import Dialect

EVERY_SECONDS = 10.0

log = logging.getLogger(__name__)


class VenueClock:
    """`offset_ns` is the venue's clock minus ours; both None until the first answer, and after one that failed.

    The budget of the calls goes by what was measured last."""

    def __init__(self, rest: RestClient, dialect: Dialect) -> None:
        self.offset_ns: int | None = None
        self.round_trip_ns: int | None = None
        self._rest = rest
        self._dialect = dialect

    async def run(self) -> None:
        """Measures every ten seconds."""
        while True:
            try:
                self._read(await self._rest.get(self._dialect.calls.server_time()))
            except (RestError, msgspec.DecodeError) as error:
                self.offset_ns = self.round_trip_ns = None
                log.warning("venue clock: %s", error)
            await asyncio.sleep(EVERY_SECONDS)

    def _read(self, answer: Answer) -> None:
        venue_ns = self._dialect.answers.server_time_ns(answer.body)
        self.round_trip_ns = answer.received_ns - answer.sent_ns
        self.offset_ns = venue_ns - (answer.sent_ns + self.round_trip_ns // 2)
        self._rest.budget.offset_seconds = self.offset_ns / 1e9
        counters.CLOCK_OFFSET.set(self.offset_ns / 1e9)
        counters.ROUND_TRIP.set(self.round_trip_ns / 1e9)
