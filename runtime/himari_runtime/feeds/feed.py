"""Everything that collects one venue: its lines, its REST calls, its heartbeats, put together."""

import asyncio
import ssl
import time
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any

from himari_runtime.feeds import counters
from himari_runtime.feeds.answers import Answers
from himari_runtime.feeds.backfill import Backfill
from himari_runtime.feeds.budget import ConnectionBudget
from himari_runtime.feeds.clock import VenueClock
from himari_runtime.feeds.continuity import Continuity
from himari_runtime.feeds.heartbeats import Heartbeats
from himari_runtime.feeds.intake import Intake, Taken
from himari_runtime.feeds.past import Past
from himari_runtime.feeds.polls import Polls
from himari_runtime.feeds.rest import RestClient
from himari_runtime.feeds.shard import Shard
from himari_runtime.feeds.snapshots import Snapshots
from himari_runtime.feeds.spent import Spent
from himari_runtime.messages import Channel, Gap, Heartbeat, Kind, Reason
from himari_runtime.settings import CollectedVenue
from himari_runtime.venues.dialect import Dialect

WAIT_NS = 250_000_000  # how long the twin of a line may take to bring what the line left out
EXPIRE_SECONDS = 0.05


class Feed:
    """A venue's feed, going on from `past` and, within the venue's limits, from `spent`. `backlog` gives records and
    seconds that the buffer is behind; `beaten` is told each second."""

    def __init__(
        self,
        settings: CollectedVenue,
        dialect: Dialect,
        tls: ssl.SSLContext | None,
        rest: RestClient,
        intake: Intake,
        *,
        past: Past,
        spent: Spent,
        backlog: Callable[[], tuple[int, float]],
        beaten: Callable[[Heartbeat], None],
    ) -> None:
        self._intake = intake
        self._dialect = dialect
        self._backlog = backlog
        answers = Answers(rest, intake)
        self._clock = VenueClock(rest, dialect)
        self._snapshots = Snapshots(answers, dialect, settings.snapshot_levels)
        self._backfill = _backfill(Backfill(answers, intake, dialect), past.unfilled, settings.symbols)
        self._polls = Polls(answers, dialect, settings.symbols, settings.book_poll_seconds)
        self._heartbeats = Heartbeats(intake, self._describe, beaten)
        self._continuity = Continuity(
            intake,
            dialect,
            settings.symbols,
            past,
            wait_ns=WAIT_NS if settings.lines > 1 else 0,
            backfill=self._backfill.want,
            want=self._snapshots.want,
        )
        self._shards = self._spread(settings, tls, spent)

    def _spread(self, settings: CollectedVenue, tls: ssl.SSLContext | None, spent: Spent) -> list[Shard]:
        limits = self._dialect.limits
        budget = ConnectionBudget(limits.connections, limits.connections_seconds, spent)
        spread = self._dialect.shards(settings.symbols)
        retry_seconds = limits.retry_seconds(len(spread) * settings.lines)
        return [
            Shard(
                settings,
                symbols,
                self._dialect,
                tls,
                budget,
                first_line=index * settings.lines,
                retry_seconds=retry_seconds,
                take=self._take,
                down=partial(self._continuity.interrupt, symbols, Reason.RECONNECT),
            )
            for index, symbols in enumerate(spread)
        ]

    @property
    def is_subscribed(self) -> bool:
        """Every symbol has a line that carries it."""
        return all(shard.lines_up for shard in self._shards)

    def jobs(self) -> dict[str, Coroutine[Any, Any, None]]:
        """What has to run, by name; none of them ends by itself."""
        lines = {name: job for shard in self._shards for name, job in shard.jobs().items()}
        return lines | {
            "expiry": self._expire(),
            "snapshots": self._snapshots.run(self._deliver),
            "backfill": self._backfill.run(),
            "clock": self._clock.run(),
            "heartbeats": self._heartbeats.run(),
            "exchange_info": self._polls.exchange_info(),
            "klines": self._polls.klines(),
            "books": self._polls.books(),
        }

    def _take(self, payloads: list[bytes], line: int) -> list[Taken]:
        taken = self._intake.take_all(Kind.FRAME, payloads, line)
        for each in taken:
            self._continuity.follow(each)
        last = taken[-1].record  # one tells how late those are that came with it
        if (made_ns := self._dialect.event_ns(last.payload)) is not None:
            counters.DELAY.observe((last.received_ns - made_ns) / 1e9)
        return taken

    def settle(self) -> None:
        """Discloses what still waits for another line; no frame may come any more."""
        self._continuity.settle()

    async def _expire(self) -> None:
        self._continuity.settle()  # what the run before waited for no line will bring
        while True:
            await asyncio.sleep(EXPIRE_SECONDS)
            self._continuity.expire(time.monotonic_ns())

    def _deliver(self, symbol: str, snapshot_id: int) -> bool:
        return self._continuity.books[symbol].snapshot(snapshot_id)

    def _describe(self, time_ns: int) -> Heartbeat:
        records, seconds = self._backlog()
        self._intake.publish()
        counts = self._intake.counts
        return Heartbeat(
            time_ns=time_ns,
            clock_offset_ns=self._clock.offset_ns,
            round_trip_ns=self._clock.round_trip_ns,
            backlog_records=records,
            backlog_seconds=seconds,
            lines=sum(shard.lines for shard in self._shards),
            lines_up=sum(shard.lines_up for shard in self._shards),
            reconnects=sum(shard.reconnects for shard in self._shards),
            frames=dict(counts),
            gaps=counts[Channel.GAP],
            resyncs=counts[Channel.RESYNC],
            unparsed=counts[Channel.UNPARSED],
        )


def _backfill(backfill: Backfill, unfilled: Iterable[Gap], symbols: tuple[str, ...]) -> Backfill:
    """Begins with the gaps that the run before left."""
    for gap in unfilled:
        if gap.symbol in symbols:
            backfill.want(gap)
    return backfill
