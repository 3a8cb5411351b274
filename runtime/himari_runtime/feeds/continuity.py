"""Follows every channel of a line: discloses gaps, asks for backfills and snapshots, announces resyncs."""

import logging
from collections.abc import Callable, Mapping

from himari_runtime.feeds import counters
from himari_runtime.feeds.intake import Intake, Taken
from himari_runtime.messages import Channel, Gap, Kind, Mark, Reason, Resync, mark_key, stream_of
from himari_runtime.venues.anchor import Anchor, Verdict
from himari_runtime.venues.dialect import Dialect
from himari_runtime.venues.sequence import Missing, Sequence, Stored

log = logging.getLogger(__name__)


class BookSync:
    """One symbol's book in the sequence; asks for a snapshot whenever it has lost its place."""

    def __init__(self, intake: Intake, symbol: str, want: Callable[[str], None]) -> None:
        self._intake = intake
        self._symbol = symbol
        self._want = want
        self._anchor: Anchor[None] = Anchor()
        self._wanted = False
        self._reason = Reason.START
        self._snapshot_id: int | None = None

    def update(self, first_id: int, last_id: int, reason: Reason | None) -> None:
        """Takes an update's ids; `reason` says why the updates before it are missing, if they are."""
        verdict = self._anchor.update(first_id, last_id, None)
        if verdict is Verdict.GAP:
            self._reason, self._snapshot_id = reason or Reason.SEQUENCE, None
        elif verdict is Verdict.APPLY and self._snapshot_id is not None:
            self._announce(first_id)
        if verdict in {Verdict.GAP, Verdict.HELD} and not self._wanted:
            self._wanted = True
            self._want(self._symbol)

    def snapshot(self, snapshot_id: int) -> bool:
        """Takes a snapshot's id; False where it is older than the updates and another is wanted."""
        kept = self._anchor.snapshot(snapshot_id)
        if kept is None:
            return False
        self._wanted = False
        self._snapshot_id = snapshot_id
        if kept:
            self._announce(kept[0].first_id)
        return True

    def _announce(self, first_id: int) -> None:
        snapshot_id, self._snapshot_id = self._snapshot_id or 0, None
        message = Resync(
            venue=self._intake.venue,
            symbol=self._symbol,
            snapshot_id=snapshot_id,
            first_id=first_id,
            reason=self._reason,
        )
        self._intake.say(Kind.RESYNC, message)
        counters.RESYNCS.inc()


class Continuity:
    """All sequenced channels of the symbols of one venue.

    `marks` are the recovered ends of the run before; `restarted` says that there was one. `backfill` is called with
    each gap of trades, `want` with each symbol whose book needs a snapshot.
    """

    def __init__(
        self,
        intake: Intake,
        dialect: Dialect,
        symbols: tuple[str, ...],
        marks: Mapping[str, Mark],
        *,
        restarted: bool,
        backfill: Callable[[Gap], None],
        want: Callable[[str], None],
    ) -> None:
        self._intake = intake
        self._backfill = backfill
        interruption = Reason.START if restarted else None
        self._sequences = {
            (symbol, channel): Sequence(dense, _stored(marks, dialect.name, symbol, channel), interruption)
            for symbol in symbols
            for channel, dense in dialect.sequenced.items()
        }
        self.books = {symbol: BookSync(intake, symbol, want) for symbol in symbols}

    def interrupt(self, reason: Reason) -> None:
        """The line broke."""
        for sequence in self._sequences.values():
            sequence.interrupt(reason)

    def follow(self, taken: Taken) -> None:
        """Takes a frame that is in the journal; what is not of a sequenced channel passes."""
        route = taken.route
        sequence = self._sequences.get((route.symbol, route.channel))
        if sequence is None:
            return
        missing = sequence.offer(route.first_id, route.last_id, taken.record.received_ns)
        if missing is not None:
            self._disclose(route.symbol, route.channel, missing)
        if route.channel is Channel.DEPTH:
            self.books[route.symbol].update(route.first_id, route.last_id, missing.reason if missing else None)

    def _disclose(self, symbol: str, channel: Channel, missing: Missing) -> None:
        gap = Gap(
            venue=self._intake.venue,
            symbol=symbol,
            channel=channel,
            after_id=missing.after.last_id if missing.after else None,
            before_id=missing.before_id,
            after_ns=missing.after.received_ns if missing.after else None,
            before_ns=missing.before_ns,
            reason=missing.reason,
        )
        self._intake.say(Kind.GAP, gap)
        counters.DISCLOSED.labels(channel, missing.reason).inc()
        log.warning("gap: %s %s after %s before %s (%s)", symbol, channel, gap.after_id, gap.before_id, gap.reason)
        if channel is Channel.TRADE and gap.after_id is not None:
            self._backfill(gap)


def _stored(marks: Mapping[str, Mark], venue: str, symbol: str, channel: Channel) -> Stored | None:
    mark = marks.get(mark_key(stream_of(venue, symbol, channel), channel))
    return Stored(mark.last_id, mark.received_ns) if mark else None
