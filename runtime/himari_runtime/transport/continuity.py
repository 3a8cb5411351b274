"""A hole in a stream, because the buffer was trimmed before it was read, becomes gaps with the venue's bounds."""

from collections.abc import Mapping

import msgspec

from himari_runtime.messages import (
    START,
    Channel,
    Gap,
    Kind,
    Mark,
    Position,
    Reason,
    Record,
    Route,
    mark_key,
)
from himari_runtime.transport.accounts import Accounts
from himari_runtime.transport.marks import mark_of, note
from himari_runtime.venues.sequence import Missing, Stored, Waiting

CONSUMER_LINE = -1  # the line of gaps that the consumer writes; their (epoch, n) is that of the record they precede


class Seen(msgspec.Struct):
    """What must survive a restart: the last record of each channel, each stream's first record after a hole, and the
    channels in which the edge waits for what a line left out: its word on that may be trimmed unread."""

    marks: dict[str, Mark] = {}
    holes: dict[str, tuple[int, int]] = {}
    waiting: dict[str, Waiting] = {}


class Continuity:
    """Follows records from `cursor`; call `gaps` before a record is stored and `note` when it is.

    `sequenced`: the venue's channels whose ids grow -> whether every id is sent."""

    def __init__(self, venue: str, sequenced: Mapping[Channel, bool], cursor: Position, seen: Seen) -> None:
        self.cursor = cursor
        self._seen = seen
        self._venue = venue
        self._sequenced = sequenced
        dense = {channel for channel, is_dense in sequenced.items() if is_dense}
        self._accounts = Accounts(dense, seen.marks, seen.waiting)

    @property
    def seen(self) -> Seen:
        """As of the last record that was noted."""
        return msgspec.structs.replace(self._seen, waiting=self._accounts.waiting)

    def lose(self, before: Record, streams: tuple[str, ...]) -> None:
        """Records are missing before this one, and nobody knows of which of the streams."""
        for name in streams:
            self._seen.holes[name] = before.position

    def gaps(self, record: Record, where: Route, broken: bool) -> list[Record]:
        """The gaps that end at this record. `broken`: records of its stream are missing before it."""
        if broken:
            self._seen.holes[where.stream] = record.position
        if where.channel not in self._sequenced:
            return []
        before = self._before(where)
        if not self._spans_hole(before, where.stream):
            return []
        missing = self._accounts.missing(where.stream, where.channel)
        if not self._is_next(before, where):
            after = Stored(before.last_id, before.received_ns) if before else None
            missing.append(Missing(after, where.first_id, record.received_ns, Reason.OVERTAKEN))
        return [self._gap(record, where, one) for one in missing]

    def note(self, record: Record, where: Route) -> None:
        """The record is stored, and the gaps before it."""
        self.cursor = record.position
        if where.channel is Channel.GAP:
            self._accounts.disclose(msgspec.json.decode(record.payload, type=Gap))
        elif self._spans_hole(self._before(where), where.stream):
            self._accounts.go_on(where, record.received_ns)
        self._accounts.follow(where, record.received_ns, record.monotonic_ns)
        note(self._seen.marks, mark_key(where.stream, where.channel), mark_of(record, where))

    def _before(self, where: Route) -> Mark | None:
        return self._seen.marks.get(mark_key(where.stream, where.channel))

    def _gap(self, record: Record, where: Route, missing: Missing) -> Record:
        """A row that precedes `record`, at its position."""
        gap = Gap(
            venue=self._venue,
            symbol=where.symbol,
            channel=where.channel,
            after_id=missing.after.last_id if missing.after else None,
            before_id=missing.before_id,
            after_ns=missing.after.received_ns if missing.after else None,
            before_ns=missing.before_ns,
            reason=missing.reason,
        )
        times = record.received_ns, record.monotonic_ns
        return Record(record.epoch, record.n, Kind.GAP, CONSUMER_LINE, *times, msgspec.json.encode(gap))

    def _spans_hole(self, before: Mark | None, stream: str) -> bool:
        hole = Position(*self._seen.holes.get(stream, START))
        return hole > (before.position if before else START)

    def _is_next(self, before: Mark | None, where: Route) -> bool:
        return before is not None and self._sequenced[where.channel] and where.first_id == before.last_id + 1
