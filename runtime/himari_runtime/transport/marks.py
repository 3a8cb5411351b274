"""What is remembered of each channel: its last record, the greatest id of the venue's that it has seen, and how far
it is accounted for."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from himari_runtime.messages import RENUMBERED_IDS, Gap, Kind, Mark, Record, Route, mark_key
from himari_runtime.transport.accounts import Accounts
from himari_runtime.venues.sequence import Waiting

End = tuple[int, int, int, int]  # as a mark has them: n, epoch, last_id, received_ns
PENDING_MOST = 256  # records whose places are kept and not yet followed: a moment of the loop


def note(marks: dict[str, Mark], key: str, mark: Mark) -> None:
    """Remembers the last record of a channel, with the channel's greatest id: a line may bring an old event late."""
    before = marks.get(key)
    if before is not None and _is_late(mark.last_id, before.last_id):
        mark = Mark(mark.n, mark.epoch, before.last_id, before.received_ns)
    marks[key] = mark


def _is_late(last_id: int, greatest: int) -> bool:
    """Whether an event is older than the greatest id seen, rather than one of a venue that began to count anew."""
    return last_id < greatest <= last_id + RENUMBERED_IDS


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
    """The marks and accounts of a journal that is being written; made up when they are asked for, not with each
    record."""

    def __init__(self, known: Mapping[str, Mark], route: Callable[[Record], Route], accounts: Accounts) -> None:
        self._known = dict(known)
        self._route = route
        self._accounts = accounts
        self._pending: dict[int, Batch] = {}
        self._size = 0
        self._ends: dict[tuple[str, str], End] = {}  # by stream and channel, of which no mark is made yet

    def append(self, batch: Batch) -> None:
        """Takes records in the order of the journal."""
        # A gap speaks of what came before it. Else those before the batch are followed, whose places are told by then.
        if batch.kind == Kind.GAP or self._size > PENDING_MOST:
            self._follow_pending()
        if batch.kind == Kind.GAP:
            for payload in batch.payloads:
                self._accounts.disclose(msgspec.json.decode(payload, type=Gap))
        self._pending[batch.n] = batch
        self._size += len(batch.payloads)

    def place(self, n: int, routes: Sequence[Route]) -> None:
        """Says where the records of the batch that begins with `n` belong, so that they are not routed again."""
        batch = self._pending.get(n)
        if batch is not None:
            batch.routes, batch.payloads = routes, ()

    def all(self) -> dict[str, Mark]:
        """By `stream|channel`, all records considered."""
        self._follow_pending()
        self._known.update((mark_key(*key), Mark(*end)) for key, end in self._ends.items())
        self._ends.clear()
        return self._known

    @property
    def waiting(self) -> dict[str, Waiting]:
        """The channels with a hole that no gap discloses, by `stream|channel`, all records considered."""
        self._follow_pending()
        return self._accounts.waiting

    def _follow_pending(self) -> None:
        for batch in self._pending.values():
            self._follow(batch, batch.routes or [self._route(record) for record in batch.records()])
        self._pending.clear()
        self._size = 0

    def _follow(self, batch: Batch, routes: Sequence[Route]) -> None:
        """What `note` does for each record, without a mark of each; and what the accounts take."""
        ends = self._ends
        for n, where in enumerate(routes, batch.n):
            self._accounts.follow(where, batch.received_ns, batch.monotonic_ns)
            key = where.stream, where.channel
            before = ends.get(key) or self._end(*key)
            if before is not None and _is_late(where.last_id, before[2]):
                ends[key] = n, batch.epoch, before[2], before[3]
            else:
                ends[key] = n, batch.epoch, where.last_id, batch.received_ns

    def _end(self, stream: str, channel: str) -> End | None:
        known = self._known.get(mark_key(stream, channel))
        return (known.n, known.epoch, known.last_id, known.received_ns) if known else None
