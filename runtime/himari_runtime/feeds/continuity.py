"""Follows every channel over all lines: discloses gaps, asks for backfills and snapshots, announces resyncs."""

import logging
from collections.abc import Callable, Iterable

from himari_runtime.feeds import counters
from himari_runtime.feeds.intake import Intake, Taken
from himari_runtime.feeds.past import Past
from himari_runtime.messages import Channel, Gap, Kind, Reason, Resync, mark_key, stream_of
from himari_runtime.venues.anchor import Anchor, Verdict
from himari_runtime.venues.dialect import Dialect
from himari_runtime.venues.sequence import Event, Missing, Placed, Sequence, Stored

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
        if reason is Reason.RENUMBERED:
            self._anchor, self._reason, self._snapshot_id = Anchor(), reason, None
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
    """All sequenced channels of the symbols of one venue, over all its lines.

    `past` is the run before; `settle` discloses what it left. `wait_ns`: how long another line may take to bring what
    one left out. `backfill` is called with each gap of trades, `want` with each symbol whose book needs a snapshot.
    """

    def __init__(
        self,
        intake: Intake,
        dialect: Dialect,
        symbols: tuple[str, ...],
        past: Past,
        *,
        wait_ns: int,
        backfill: Callable[[Gap], None],
        want: Callable[[str], None],
    ) -> None:
        self._intake = intake
        self._backfill = backfill
        self._sequences = {
            (symbol, channel): _sequence(
                past, mark_key(stream_of(dialect.name, symbol, channel), channel), dense, wait_ns
            )
            for symbol in symbols
            for channel, dense in dialect.sequenced.items()
        }
        self._waiting: set[tuple[str, Channel]] = set()
        self.books = {symbol: BookSync(intake, symbol, want) for symbol in symbols}

    def interrupt(self, symbols: Iterable[str], reason: Reason) -> None:
        """All lines of `symbols` broke."""
        wanted = set(symbols)
        for (symbol, _), sequence in self._sequences.items():
            if symbol in wanted:
                sequence.interrupt(reason)

    def follow(self, taken: Taken) -> None:
        """Takes a frame that is in the journal; what is not of a sequenced channel passes."""
        route, record = taken.route, taken.record
        key = route.symbol, route.channel
        sequence = self._sequences.get(key)
        if sequence is None:
            return
        if sequence.follows(route.first_id, route.last_id, record.received_ns):
            if route.channel is Channel.DEPTH:
                self.books[route.symbol].update(route.first_id, route.last_id, None)
            return
        event = Event(route.first_id, route.last_id, record.received_ns, record.monotonic_ns)
        self._settle(key, sequence.offer(event))
        if sequence.is_waiting:
            self._waiting.add(key)

    def expire(self, monotonic_ns: int) -> None:
        """Discloses what no line has brought in time."""
        for key in tuple(self._waiting):
            sequence = self._sequences[key]
            self._settle(key, sequence.expire(monotonic_ns))
            if not sequence.is_waiting:
                self._waiting.discard(key)

    def settle(self) -> None:
        """Discloses every hole that waits: before the first frame, of the run before, and after the last."""
        for (symbol, channel), sequence in self._sequences.items():
            for _, missing in sequence.settle():
                if missing is not None:
                    self._disclose(symbol, channel, missing)

    def _settle(self, key: tuple[str, Channel], placed: list[Placed]) -> None:
        symbol, channel = key
        for event, missing in placed:
            if missing is not None:
                self._disclose(symbol, channel, missing)
            if channel is Channel.DEPTH:
                self.books[symbol].update(event.first_id, event.last_id, missing.reason if missing else None)

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
        if channel is Channel.TRADE and gap.after_id is not None and gap.reason is not Reason.RENUMBERED:
            self._backfill(gap)


def _sequence(past: Past, key: str, dense: bool, wait_ns: int) -> Sequence:
    """Of one channel, from where the run before left it."""
    mark, waiting = past.marks.get(key), past.waiting.get(key)
    stored = Stored(mark.last_id, mark.received_ns) if mark else None
    sequence = Sequence(dense, stored, Reason.START if past.restarted else None, wait_ns)
    if waiting is not None:
        sequence.wait(waiting)
    return sequence
