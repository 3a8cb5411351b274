"""Everything that crosses a wire or lies on a disk between the edge and the brain.

A record is named by (epoch, n): the epoch grows at each start of the collector, n is dense from 1 within an epoch.
"""

from enum import IntEnum, StrEnum
from typing import NamedTuple

import msgspec


class Position(NamedTuple):
    """A record's name, a cursor, and the Redis stream id `epoch-n`; positions sort as the records were received."""

    epoch: int
    n: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.n}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        """From `epoch-n`; raises ValueError for anything else."""
        epoch, _, n = text.partition("-")
        return cls(int(epoch), int(n))


START = Position(0, 0)
PAYLOAD_BYTES_MOST = 16 << 20  # of one record; what a venue sends beyond it is refused at the socket


class Kind(IntEnum):
    """What a record's payload is."""

    FRAME = 0  # a venue's WebSocket text, untouched
    REST = 1  # JSON of Rest
    GAP = 2  # JSON of Gap
    HEARTBEAT = 3  # JSON of Heartbeat
    EPOCH = 4  # JSON of Epoch
    RESYNC = 5  # JSON of Resync
    COPY = 6  # JSON of Copy; in the buffer alone, in place of a frame that another line had brought
    HEADER = 250  # a segment's first frame
    FOOTER = 251  # a sealed segment's last frame


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record as journaled. Times in ns: `received_ns` since 1970, `monotonic_ns` of the edge's clock since boot."""

    epoch: int
    n: int
    kind: int
    line: int
    received_ns: int
    monotonic_ns: int
    payload: bytes

    @property
    def position(self) -> Position:
        return Position(self.epoch, self.n)


class Channel(StrEnum):
    """What a record is about, within its stream."""

    TRADE = "trade"
    DEPTH = "depth"
    BOOK_TICKER = "book_ticker"
    SNAPSHOT = "snapshot"
    BOOK_POLL = "book_poll"
    KLINE = "kline"
    EXCHANGE_INFO = "exchange_info"
    BACKFILL = "backfill"
    HEARTBEAT = "heartbeat"
    GAP = "gap"
    RESYNC = "resync"
    EPOCH = "epoch"
    COPY = "copy"
    CONTROL = "control"  # the venue's answers to what a line asked
    UNPARSED = "unparsed"


TRADES = {Channel.TRADE, Channel.BACKFILL, Channel.KLINE}  # the channels beside the book's


class Route(msgspec.Struct, frozen=True, gc=False):
    """Where a record belongs, from its payload alone. `stream` is the Redis key; ids are the venue's, 0 for none."""

    stream: str
    symbol: str  # unified (BTC/USDT), "_" for what concerns the venue
    channel: Channel
    first_id: int = 0
    last_id: int = 0


class Mark(msgspec.Struct, frozen=True):
    """The last record of one channel of one stream."""

    n: int
    epoch: int
    last_id: int
    received_ns: int

    @property
    def position(self) -> Position:
        return Position(self.epoch, self.n)


class Reason(StrEnum):
    """Why data may be missing."""

    START = "start"
    RECONNECT = "reconnect"
    SEQUENCE = "sequence"
    RENUMBERED = "renumbered"  # the venue began its ids anew, below those that were stored
    OVERTAKEN = "overtaken"  # the buffer was trimmed before the consumer had read it


RENUMBERED_IDS = 1_000_000  # an id that is so far below the greatest is no late one


class Rest(msgspec.Struct, frozen=True):
    """A REST answer as the venue sent it."""

    endpoint: str
    symbol: str
    weight: int
    body: msgspec.Raw


class Copy(msgspec.Struct, frozen=True, array_like=True):
    """What is left of a frame that repeats another line's: where that one belongs."""

    symbol: str
    channel: str


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of one channel that may lack events, bounded by what is stored on both sides."""

    venue: str
    symbol: str
    channel: str
    after_id: int | None  # the last stored before it; None: none was ever stored
    before_id: int | None  # the first stored after it
    after_ns: int | None
    before_ns: int | None
    reason: Reason
    filled: bool = False


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """Once a second: the collector's own condition."""

    time_ns: int
    clock_offset_ns: int | None = None
    round_trip_ns: int | None = None
    backlog_records: int = 0
    backlog_seconds: float = 0.0
    lines: int = 0  # that there should be
    lines_up: int = 0
    reconnects: int = 0
    frames: dict[str, int] = {}
    gaps: int = 0
    resyncs: int = 0
    unparsed: int = 0


class Epoch(msgspec.Struct, frozen=True, kw_only=True):
    """The first record (n = 1) of each epoch, written by the journal itself. `marks` are keyed by `stream|channel`."""

    epoch: int
    previous_epoch: int  # 0: there was none
    previous_n: int
    reason: Reason = Reason.START
    marks: dict[str, Mark] = {}


class Resync(msgspec.Struct, frozen=True, kw_only=True):
    """A book that starts again from a snapshot."""

    venue: str
    symbol: str
    snapshot_id: int
    first_id: int
    reason: Reason


def mark_key(stream: str, channel: str) -> str:
    """The key of a mark."""
    return f"{stream}|{channel}"


def meta_stream(venue: str) -> str:
    """The stream of what concerns a venue as a whole."""
    return f"md:{venue}:_:meta"


def stream_of(venue: str, symbol: str, channel: str) -> str:
    """The stream that carries a channel of a symbol."""
    return f"md:{venue}:{symbol}:{'trades' if channel in TRADES else 'book'}"


def streams(venue: str, symbols: tuple[str, ...]) -> tuple[str, ...]:
    """All streams of an edge that collects `symbols` from `venue`."""
    return (meta_stream(venue), *(f"md:{venue}:{symbol}:{topic}" for symbol in symbols for topic in ("trades", "book")))
