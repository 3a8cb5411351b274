"""Missed trades, fetched by id; a gap of which every trade was fetched is closed."""

import asyncio
import logging

import msgspec

from himari_runtime.backoff import Backoff
from himari_runtime.feeds import counters
from himari_runtime.feeds.answers import Answers
from himari_runtime.feeds.intake import Intake
from himari_runtime.feeds.rest import RestError
from himari_runtime.messages import Channel, Gap, Kind
from himari_runtime.venues.dialect import Dialect

ATTEMPTS = 8  # for one page; then the gap stays open, as disclosed

log = logging.getLogger(__name__)


class Backfill:
    """The queue of gaps in trades."""

    def __init__(self, answers: Answers, intake: Intake, dialect: Dialect) -> None:
        self._dialect = dialect
        self._answers = answers
        self._intake = intake
        self._gaps: asyncio.Queue[Gap] = asyncio.Queue()

    def want(self, gap: Gap) -> None:
        """Takes a gap with both bounds."""
        self._gaps.put_nowait(gap)

    async def run(self) -> None:
        """Fetches gap after gap."""
        while True:
            gap = await self._gaps.get()
            if await self._fill(gap):
                self._intake.say(Kind.GAP, msgspec.structs.replace(gap, filled=True))
                counters.FILLED.inc()
            else:
                log.warning("%s: trades between %s and %s stay missing", gap.symbol, gap.after_id, gap.before_id)
            self._gaps.task_done()

    async def done(self) -> None:
        """Returns when every gap that was wanted has been worked on."""
        await self._gaps.join()

    async def _fill(self, gap: Gap) -> bool:
        due, end = (gap.after_id or 0) + 1, gap.before_id or 0
        while due < end:
            ids = await self._page(gap.symbol, due, end - due)
            reached = _reached(due, ids)
            if reached == due:
                return False
            due = reached
        return True

    async def _page(self, symbol: str, first_id: int, most: int) -> list[int]:
        """Ids of the trades that the venue has from `first_id` on; none where it does not answer."""
        call = self._dialect.calls.trades(symbol, first_id, most)
        backoff = Backoff(first=0.5, most=30.0)
        for _ in range(ATTEMPTS):
            try:
                body, taken = await self._answers.fetch(symbol, call)
            except RestError as error:
                log.warning("backfill of %s: %s", symbol, error)
            else:
                if taken.route.channel is Channel.BACKFILL:
                    return self._dialect.answers.trade_ids(body)
            await asyncio.sleep(backoff.next())
        return []


def _reached(due: int, ids: list[int]) -> int:
    """The first id from `due` on that is not among `ids`."""
    for trade_id in ids:
        if trade_id != due:
            break
        due += 1
    return due
