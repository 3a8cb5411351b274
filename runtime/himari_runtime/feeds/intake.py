"""The one door into the journal: stamp, append, and only then look at what it is."""

import time
from collections import Counter
from typing import Protocol

import msgspec

from himari_runtime.feeds import counters
from himari_runtime.messages import Channel, Kind, Record, Route
from himari_runtime.venues.dialect import Dialect


class Appender(Protocol):
    """What the feeds need of a journal."""

    epoch: int

    def append(self, kind: Kind, payload: bytes, *, line: int, received_ns: int, monotonic_ns: int) -> int:
        """Writes one record and returns its n."""

    def mark(self, stream: str, channel: str, n: int, last_id: int, received_ns: int) -> None:
        """Notes record `n` as the last of its channel."""


class Taken(msgspec.Struct, frozen=True, gc=False):
    """A record that is in the journal, and where it belongs."""

    record: Record
    route: Route


class Intake:
    """Appends records and counts them by channel."""

    def __init__(self, dialect: Dialect, journal: Appender) -> None:
        self.venue = dialect.name
        self.counts: Counter[str] = Counter()
        self._journal = journal
        self._route = dialect.route

    def take(self, kind: Kind, payload: bytes, line: int = 0) -> Taken:
        """Journals `payload`, received now; then says where it belongs."""
        received_ns, monotonic_ns = time.time_ns(), time.monotonic_ns()
        n = self._journal.append(kind, payload, line=line, received_ns=received_ns, monotonic_ns=monotonic_ns)
        record = Record(self._journal.epoch, n, kind, line, received_ns, monotonic_ns, payload)
        route = self._route(record)
        self._journal.mark(route.stream, route.channel, n, route.last_id, received_ns)
        self.counts[route.channel] += 1
        counters.FRAMES.labels(route.channel).inc()
        if route.channel is Channel.UNPARSED:
            counters.UNPARSED.inc()
        return Taken(record, route)

    def say(self, kind: Kind, message: msgspec.Struct) -> Taken:
        """Journals a message of our own."""
        return self.take(kind, msgspec.json.encode(message))
