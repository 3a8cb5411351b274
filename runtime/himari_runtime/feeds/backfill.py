"""Missed trades, fetched by id; a gap of which every trade was fetched is closed."""

import asyncio
import heapq
import logging
from collections.abc import Callable
from contextlib import suppress
from itertools import count

import msgspec

from himari_runtime.backoff import Backoff
from himari_runtime.feeds import counters
from himari_runtime.feeds.answers import Answers
from himari_runtime.feeds.intake import Intake
from himari_runtime.feeds.rest import RestError
from himari_runtime.messages import Channel, Gap, Kind
from himari_runtime.venues.dialect import Dialect

GAPS_MOST = 10_000  # that wait; a venue that is out of reach for days must not fill the memory
MISSES = 5  # answers in a row without the next trade: the venue does not have it, and will not
FIRST_SECONDS = 0.5
MOST_SECONDS = 60.0

log = logging.getLogger(__name__)


class Work(msgspec.Struct):
    """A gap and how far it is filled: `due` is the first trade that is still missing."""

    gap: Gap
    due: int
    backoff: Backoff
    misses: int = 0

    @property
    def end(self) -> int:
        return self.gap.before_id or 0


class Backfill:
    """The gaps in trades, each asked for until the venue gave all of it or has shown that it cannot.

    A gap that waits holds no other back. `backoff` says how long it waits."""

    def __init__(
        self,
        answers: Answers,
        intake: Intake,
        dialect: Dialect,
        backoff: Callable[[], Backoff] = lambda: Backoff(first=FIRST_SECONDS, most=MOST_SECONDS),
    ) -> None:
        self._dialect = dialect
        self._answers = answers
        self._intake = intake
        self._backoff = backoff
        self._waiting: list[tuple[float, int, Work]] = []  # a heap, by the time of the loop
        self._numbers = count()
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def want(self, gap: Gap) -> None:
        """Takes a gap with both bounds; one too many stays open, as disclosed."""
        if len(self._waiting) >= GAPS_MOST:
            self._give_up(gap, f"{GAPS_MOST} gaps wait already")
            return
        self._idle.clear()
        self._put(Work(gap, (gap.after_id or 0) + 1, self._backoff()), 0.0)

    async def run(self) -> None:
        """Fetches page after page."""
        while True:
            await self._fetch(await self._next())
            if not self._waiting:
                self._idle.set()

    async def done(self) -> None:
        """Returns when every gap that was wanted is closed or given up."""
        await self._idle.wait()

    def _put(self, work: Work, seconds: float) -> None:
        heapq.heappush(self._waiting, (_now() + seconds, next(self._numbers), work))
        self._news.set()

    async def _next(self) -> Work:
        while not self._waiting or self._waiting[0][0] > _now():
            self._news.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), self._waiting[0][0] - _now() if self._waiting else None)
        return heapq.heappop(self._waiting)[2]

    async def _fetch(self, work: Work) -> None:
        """The next page of a gap."""
        symbol = work.gap.symbol
        try:
            body, taken = await self._answers.fetch(
                symbol, self._dialect.calls.trades(symbol, work.due, work.end - work.due)
            )
        except RestError as error:
            log.warning("backfill of %s: %s", symbol, error)
            self._put(work, work.backoff.next())
            return
        if taken.route.channel is not Channel.BACKFILL:
            log.warning("backfill of %s: the answer holds no trades", symbol)
            self._put(work, work.backoff.next())
        else:
            self._advance(work, _reached(work.due, self._dialect.answers.trade_ids(body)))

    def _advance(self, work: Work, reached: int) -> None:
        if reached >= work.end:
            self._intake.say(Kind.GAP, msgspec.structs.replace(work.gap, filled=True))
            counters.FILLED.inc()
        elif reached > work.due:
            work.due, work.misses = reached, 0
            work.backoff.reset()
            self._put(work, 0.0)
        elif work.misses + 1 >= MISSES:
            self._give_up(work.gap, f"the venue does not have {work.due}")
        else:
            work.misses += 1
            self._put(work, work.backoff.next())

    def _give_up(self, gap: Gap, why: str) -> None:
        """The gap's own record, which is in the journal, stands."""
        counters.GIVEN_UP.inc()
        log.error("%s: trades between %s and %s stay missing: %s", gap.symbol, gap.after_id, gap.before_id, why)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _reached(due: int, ids: list[int]) -> int:
    """The first id from `due` on that is not among `ids`."""
    for trade_id in ids:
        if trade_id != due:
            break
        due += 1
    return due
