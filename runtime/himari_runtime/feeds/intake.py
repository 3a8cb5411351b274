"""The one door into the journal: stamp, append, and only then look at what it is."""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import msgspec

from himari_runtime.feeds import counters
from himari_runtime.messages import Channel, Kind, Record, Route
from himari_runtime.venues.dialect import Dialect


class Appender(Protocol):
    """What the feeds need of a journal."""

    epoch: int

    def append_all(
        self, kind: Kind, payloads: Sequence[bytes], *, line: int, received_ns: int, monotonic_ns: int
    ) -> int:
        """Writes records that were received together and returns the n of the first."""

    def mark(self, n: int, routes: Sequence[Route]) -> None:
        """Notes where the records appended as `n` and behind it belong."""


class Taken(msgspec.Struct, frozen=True, gc=False):
    """A record that is in the journal, and where it belongs."""

    record: Record
    route: Route


class Intake:
    """Appends records and counts them by channel."""

    def __init__(self, dialect: Dialect, journal: Appender) -> None:
        self.venue = dialect.name
        self.counts: Counter[str] = Counter()
        self._told: Counter[str] = Counter()
        self._journal = journal
        self._route = dialect.route

    def take(self, kind: Kind, payload: bytes, line: int = 0) -> Taken:
        """Journals `payload`, received now; then says where it belongs."""
        return self.take_all(kind, (payload,), line)[0]

    def take_all(self, kind: Kind, payloads: Sequence[bytes], line: int) -> list[Taken]:
        """The same of payloads that came together, of which none is looked at before all are in the journal."""
        received_ns, monotonic_ns = time.time_ns(), time.monotonic_ns()
        first = self._journal.append_all(kind, payloads, line=line, received_ns=received_ns, monotonic_ns=monotonic_ns)
        epoch, route, counts = self._journal.epoch, self._route, self.counts
        routes: list[Route] = []
        taken: list[Taken] = []
        for n, payload in enumerate(payloads, first):
            record = Record(epoch, n, kind, line, received_ns, monotonic_ns, payload)
            where = route(record)
            counts[where.channel] += 1
            routes.append(where)
            taken.append(Taken(record, where))
        self._journal.mark(first, routes)
        return taken

    def say(self, kind: Kind, message: msgspec.Struct) -> Taken:
        """Journals a message of our own."""
        return self.take(kind, msgspec.json.encode(message))

    def publish(self) -> None:
        """Tells Prometheus what was counted; too dear to be done for each record."""
        for channel, count in self.counts.items():
            counters.FRAMES.labels(channel).inc(count - self._told[channel])
        counters.UNPARSED.inc(self.counts[Channel.UNPARSED] - self._told[Channel.UNPARSED])
        self._told = self.counts.copy()
