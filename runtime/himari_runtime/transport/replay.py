"""What the buffer would have brought, from the journal's own records."""

from collections.abc import Container, Iterable, Iterator

import msgspec

from himari_runtime.messages import Channel, Kind, Position, Record
from himari_runtime.transport import epochs
from himari_runtime.transport.copies import Copies, shorten
from himari_runtime.transport.recovery import Router


class Run(msgspec.Struct, frozen=True):
    """Records that follow one another. `after_hole`: before the first of them the journal lacks some."""

    records: list[Record]
    after_hole: bool


class Replay:
    """Takes records in journal order. Those until `cursor` only tell which of the later ones are copies."""

    def __init__(self, cursor: Position, route: Router, sequenced: Container[Channel]) -> None:
        self.last = cursor
        self._route = route
        self._copies = Copies(sequenced)

    def take(self, records: Iterable[Record]) -> Iterator[Run]:
        """Those after the cursor, the copies among them without their content, as the pusher would send them."""
        run: list[Record] = []
        after_hole = False
        for record in records:
            where = self._route(record)
            repeated = self._copies.is_copy(record, where)
            if record.position <= self.last:
                continue
            if not self._follows(record):
                if run:
                    yield Run(run, after_hole)
                run, after_hole = [], True
            run.append(shorten(record, where) if repeated else record)
            self.last = record.position
        if run:
            yield Run(run, after_hole)

    def _follows(self, record: Record) -> bool:
        if record.epoch == self.last.epoch:
            return record.n == self.last.n + 1
        if record.kind != Kind.EPOCH or record.n != 1:
            return False
        return epochs.goes_on_from(record) <= self.last
