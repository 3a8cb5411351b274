"""What is remembered of each channel: its last record, and the greatest id of the venue's that it has seen."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from himari_runtime.messages import RENUMBERED_IDS, Mark, Record, Route, mark_key

PENDING_MOST = 4096  # records whose places are kept and not yet the marks that come of them


def note(marks: dict[str, Mark], key: str, mark: Mark) -> None:
    """Remembers the last record of a channel, with the channel's greatest id: a line may bring an old event late."""
    before = marks.get(key)
    if before is not None and mark.last_id < before.last_id < mark.last_id + RENUMBERED_IDS:
        mark = Mark(mark.n, mark.epoch, before.last_id, before.received_ns)
    marks[key] = mark


def mark_of(record: Record, where: Route) -> Mark:
    """What is remembered of a record."""
    return Mark(record.n, record.epoch, where.last_id, record.received_ns)


class Batch(msgspec.Struct, gc=False):
    """Records that were appended together, from `n` on; `routes` is None until somebody has looked at them."""

    epoch: int
    n: int
    kind: int
    line: int
    received_ns: int
    monotonic_ns: int
    payloads: Sequence[bytes]
    routes: Sequence[Route] | None = None

    def records(self) -> list[Record]:
        """One by one."""
        head = self.kind, self.line, self.received_ns, self.monotonic_ns
        return [Record(self.epoch, n, *head, payload) for n, payload in enumerate(self.payloads, self.n)]


class Marks:
    """The marks of a journal that is being written; made up when they are asked for, not with each record."""

    def __init__(self, known: Mapping[str, Mark], route: Callable[[Record], Route]) -> None:
        self._known = dict(known)
        self._route = route
        self._pending: dict[int, Batch] = {}
        self._size = 0

    def append(self, batch: Batch) -> None:
        """Takes records in the order of the journal."""
        self._pending[batch.n] = batch
        self._size += len(batch.payloads)
        if self._size > PENDING_MOST:
            self.all()

    def place(self, n: int, routes: Sequence[Route]) -> None:
        """Says where the records of the batch that begins with `n` belong, so that they are not routed again."""
        batch = self._pending.get(n)
        if batch is not None:
            batch.routes, batch.payloads = routes, ()

    def all(self) -> dict[str, Mark]:
        """By `stream|channel`, all records considered."""
        for batch in self._pending.values():
            for key, mark in _ends(batch, batch.routes or [self._route(record) for record in batch.records()]).items():
                note(self._known, mark_key(*key), mark)
        self._pending.clear()
        self._size = 0
        return self._known


def _ends(batch: Batch, routes: Sequence[Route]) -> dict[tuple[str, str], Mark]:
    """The last record of each channel in a batch, with its greatest id."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for n, where in enumerate(routes, batch.n):
        key = where.stream, where.channel
        found[key] = n, max(where.last_id, found[key][1]) if key in found else where.last_id
    return {key: Mark(n, batch.epoch, last_id, batch.received_ns) for key, (n, last_id) in found.items()}
