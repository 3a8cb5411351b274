"""Everything that collects one venue: its line, its REST calls, its heartbeats, put together."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any

from himari_runtime.feeds import counters
from himari_runtime.feeds.answers import Answers
from himari_runtime.feeds.backfill import Backfill
from himari_runtime.feeds.budget import ConnectionBudget
from himari_runtime.feeds.clock import VenueClock
from himari_runtime.feeds.continuity import Continuity
from himari_runtime.feeds.heartbeats import Heartbeats
from himari_runtime.feeds.intake import Intake
from himari_runtime.feeds.line import Line
from himari_runtime.feeds.polls import Polls
from himari_runtime.feeds.rest import RestClient
from himari_runtime.feeds.snapshots import Snapshots
from himari_runtime.messages import Channel, Gap, Heartbeat, Kind, Mark, Reason
from himari_runtime.settings import CollectedVenue
from himari_runtime.venues.dialect import Dialect

LINE = 0


class Feed:
    """A venue's feed. `unfilled`: gaps that the run before left; `backlog` gives records and seconds that the buffer is
    behind; `beaten` is told each second."""

    def __init__(
        self,
        settings: CollectedVenue,
        dialect: Dialect,
        tls: ssl.SSLContext | None,
        rest: RestClient,
        intake: Intake,
        *,
        marks: Mapping[str, Mark],
        unfilled: Iterable[Gap],
        restarted: bool,
        backlog: Callable[[], tuple[int, float]],
        beaten: Callable[[Heartbeat], None],
    ) -> None:
        self.subscribed = asyncio.Event()
        self._intake = intake
        self._dialect = dialect
        self._backlog = backlog
        answers = Answers(rest, intake)
        self._clock = VenueClock(rest, dialect)
        self._snapshots = Snapshots(answers, dialect, settings.snapshot_levels)
        self._backfill = Backfill(answers, intake, dialect)
        for gap in unfilled:
            if gap.symbol in settings.symbols:
                self._backfill.want(gap)
        self._polls = Polls(answers, dialect, settings.symbols, settings.book_poll_seconds)
        self._heartbeats = Heartbeats(intake, self._describe, beaten)
        self._continuity = Continuity(
            intake,
            dialect,
            settings.symbols,
            marks,
            restarted=restarted,
            backfill=self._backfill.want,
            want=self._snapshots.want,
        )
        self._line = Line(
            LINE,
            dialect.line_url(settings.websocket_url, settings.symbols),
            tls,
            ConnectionBudget(dialect.limits.connections, dialect.limits.connections_seconds),
            idle_seconds=dialect.limits.idle_seconds,
            take=self._take,
            up=self.subscribed.set,
            down=self._down,
        )

    def jobs(self) -> dict[str, Coroutine[Any, Any, None]]:
        """What has to run, by name; none of them ends by itself."""
        return {
            "line": self._line.run(),
            "snapshots": self._snapshots.run(self._deliver),
            "backfill": self._backfill.run(),
            "clock": self._clock.run(),
            "heartbeats": self._heartbeats.run(),
            "exchange_info": self._polls.exchange_info(),
            "klines": self._polls.klines(),
            "books": self._polls.books(),
        }

    def _take(self, payload: bytes) -> bool:
        taken = self._intake.take(Kind.FRAME, payload, LINE)
        self._continuity.follow(taken)
        if taken.route.channel is Channel.UNPARSED:
            return self._dialect.is_shutdown(payload)
        made_ns = self._dialect.event_ns(payload)
        if made_ns is not None:
            counters.DELAY.observe((taken.record.received_ns - made_ns) / 1e9)
        return False

    def _down(self) -> None:
        self.subscribed.clear()
        self._continuity.interrupt(Reason.RECONNECT)

    def _deliver(self, symbol: str, snapshot_id: int) -> bool:
        return self._continuity.books[symbol].snapshot(snapshot_id)

    def _describe(self, time_ns: int) -> Heartbeat:
        records, seconds = self._backlog()
        counts = self._intake.counts
        return Heartbeat(
            time_ns=time_ns,
            clock_offset_ns=self._clock.offset_ns,
            round_trip_ns=self._clock.round_trip_ns,
            backlog_records=records,
            backlog_seconds=seconds,
            reconnects=self._line.reconnects,
            frames=dict(counts),
            gaps=counts[Channel.GAP],
            resyncs=counts[Channel.RESYNC],
            unparsed=counts[Channel.UNPARSED],
        )
