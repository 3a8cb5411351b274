"""What the exchange and the hosts say about their data: the inputs of the ledger proof, as they cross the wire."""

from typing import Literal

import msgspec

How = Literal["ws", "rest"]
GRACE_NS = 5_000_000_000  # what a fault may go on costing after it ended
CHANNELS = {"t": "trade", "d": "depth", "b": "book_ticker"}


class Key(msgspec.Struct, frozen=True):
    """An event's identity at the venue: `t|BTCUSDT|17`, `d|BTCUSDT|<U>|<u>`, `b|BTCUSDT|<u>`."""

    channel: str
    symbol: str
    first_id: int
    last_id: int

    @classmethod
    def parse(cls, text: str) -> "Key":
        """Raises `ValueError` for what is no key."""
        kind, symbol, *ids = text.split("|")
        if kind not in CHANNELS or not ids:
            raise ValueError(f"not an event's key: {text!r}")
        return cls(CHANNELS[kind], symbol, int(ids[0]), int(ids[-1]))


class Sent(msgspec.Struct, frozen=True, array_like=True):
    """An event that the exchange put on a line, or served by REST."""

    key: str
    digest: str
    sent_ns: int
    line: int
    how: How


class Line(msgspec.Struct, frozen=True):
    """A connection that the exchange had."""

    line: int
    opened_ns: int
    closed_ns: int | None = None


class ExchangeLedger(msgspec.Struct, frozen=True):
    """`himari-exchange ledger --json`."""

    first_ns: int | None
    last_ns: int | None
    lines: list[Line]
    events: list[Sent]


class Held(msgspec.Struct, frozen=True, array_like=True):
    """An event that a host holds."""

    key: str
    digest: str
    received_ns: int
    how: How


class Gap(msgspec.Struct, frozen=True):
    """A hole that the system itself disclosed: what lies strictly between `after_id` and `before_id` is missing."""

    venue: str
    symbol: str
    channel: str
    after_id: int | None
    before_id: int | None
    after_ns: int | None
    before_ns: int | None
    reason: str
    filled: bool = False

    @property
    def stream(self) -> tuple[str, str]:
        return self.symbol.replace("/", ""), self.channel

    @property
    def seconds(self) -> float:
        if self.after_ns is None or self.before_ns is None:
            return 0.0
        return max(0, self.before_ns - self.after_ns) / 1e9

    def covers(self, key: Key) -> bool:
        """Whether an event with `key` may be missing because of this gap."""
        return (
            self.stream == (key.symbol, key.channel)
            and (self.after_id is None or key.first_id > self.after_id)
            and (self.before_id is None or key.last_id < self.before_id)
        )


class Written(msgspec.Struct, frozen=True, array_like=True):
    """A file of the brain's store: the first and last time of receipt in it, and when it was written."""

    first_ns: int
    last_ns: int
    written_ns: int


class Digest(msgspec.Struct, frozen=True):
    """`himari-runtime digest --json`: what one stop holds of a time range."""

    source: str
    where: str
    first_ns: int | None
    last_ns: int | None  # the greatest time of receipt present
    records: int
    duplicates: int
    events: list[Held]
    gaps: list[Gap]
    unparsed: int = 0
    files: list[Written] = []


class Fault(msgspec.Struct, frozen=True):
    """A disturbance that was made on purpose, in realtime nanoseconds.

    `end_ns` is when it was lifted, `served_ns` when what it broke worked again (None: as it was lifted). A gap may
    last as long as the fault itself and GRACE_NS: how slowly a system recovers excuses no gap."""

    name: str
    start_ns: int
    end_ns: int
    served_ns: int | None = None

    @property
    def seconds(self) -> float:
        return (self.end_ns - self.start_ns) / 1e9

    @property
    def explained_seconds(self) -> float:
        """How long a gap may be because of it."""
        return self.seconds + GRACE_NS / 1e9

    def touches(self, start_ns: int, end_ns: int) -> bool:
        """Whether a gap between these times may be its doing."""
        return self.start_ns <= end_ns and start_ns <= self.end_ns + GRACE_NS

    def disturbs(self, time_ns: int) -> bool:
        """Whether what is sent at this time may be missing for its sake: until all works again, and a moment more."""
        return self.start_ns <= time_ns <= max(self.end_ns, self.served_ns or 0) + GRACE_NS


class Window(msgspec.Struct, frozen=True):
    """The time range that is judged, in realtime nanoseconds, and what was done to the system in it."""

    start_ns: int
    end_ns: int
    faults: tuple[Fault, ...] = ()
    minimum_events: int = 1000
    again: str = "start the exchange again"  # what helps when its source has ended
