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
from himari_runtime.transport.marks import mark_of, note

CONSUMER_LINE = -1  # the line of gaps that the consumer writes; their (epoch, n) is that of the record they precede


class Seen(msgspec.Struct):
    """What must survive a restart: the last record of each channel, and each stream's first record after a hole."""

    marks: dict[str, Mark] = {}
    holes: dict[str, tuple[int, int]] = {}


class Continuity:
    """Follows records from `cursor`; call `gaps` before a record is stored and `note` when it is.

    `sequenced`: the venue's channels whose ids grow -> whether every id is sent."""

    def __init__(self, venue: str, sequenced: Mapping[Channel, bool], cursor: Position, seen: Seen) -> None:
        self.cursor = cursor
        self.seen = seen
        self._venue = venue
        self._sequenced = sequenced

    def lose(self, before: Record, streams: tuple[str, ...]) -> None:
        """Records are missing before this one, and nobody knows of which of the streams."""
        for name in streams:
            self.seen.holes[name] = before.position

    def gaps(self, record: Record, where: Route, broken: bool) -> list[Record]:
        """The gaps that end at this record. `broken`: records of its stream are missing before it."""
        if broken:
            self.seen.holes[where.stream] = record.position
        if where.channel not in self._sequenced:
            return []
        before = self.seen.marks.get(mark_key(where.stream, where.channel))
        if not self._spans_hole(before, where.stream) or self._is_next(before, where):
            return []
        gap = Gap(
            venue=self._venue,
            symbol=where.symbol,
            channel=where.channel,
            after_id=before.last_id if before else None,
            before_id=where.first_id,
            after_ns=before.received_ns if before else None,
            before_ns=record.received_ns,
            reason=Reason.OVERTAKEN,
        )
        return [
            Record(
                record.epoch,
                record.n,
                Kind.GAP,
                CONSUMER_LINE,
                record.received_ns,
                record.monotonic_ns,
                msgspec.json.encode(gap),
            )
        ]

    def note(self, record: Record, where: Route) -> None:
        """The record is stored."""
        self.cursor = record.position
        note(self.seen.marks, mark_key(where.stream, where.channel), mark_of(record, where))

    def _spans_hole(self, before: Mark | None, stream: str) -> bool:
        hole = Position(*self.seen.holes.get(stream, START))
        return hole > (before.position if before else START)

    def _is_next(self, before: Mark | None, where: Route) -> bool:
        return before is not None and self._sequenced[where.channel] and where.first_id == before.last_id + 1
