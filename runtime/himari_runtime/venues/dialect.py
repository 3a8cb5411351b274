"""All that the feeds and the digest need of a venue, as one value: pure functions and figures, no I/O, no clock."""

from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from typing import NamedTuple

import msgspec

from himari_runtime.messages import Channel, Record, Route

Fingerprint = tuple[str, str, str]  # key, content digest, "ws" or "rest"


class Priority(IntEnum):
    """Whose call goes first while weight is short."""

    CLOCK = 0
    SNAPSHOT = 1
    BACKFILL = 2
    POLL = 3


class Call(NamedTuple):
    """A REST request. `endpoint` is what its answer is journaled as, and what `route` knows it by."""

    endpoint: str
    path: str
    query: Mapping[str, str]
    weight: int  # on the venue's budget
    priority: Priority


RETRY_SHARE = 0.9  # of the connections that a venue allows; the rest is for lines that grow old


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What the venue allows, and how it says that it was too much."""

    connections: int  # begun in `connections_seconds`, per address
    connections_seconds: float
    request_seconds: float  # between two requests on one line
    idle_seconds: float  # a line that is silent for longer is dead
    weight_header: str  # names the weight used in this minute
    wait_statuses: frozenset[int]  # of answers that mean: come back later

    def retry_seconds(self, lines: int) -> float:
        """The greatest wait of a refused line, where waits are drawn evenly from 0 on.

        `lines` that are all refused then begin RETRY_SHARE of the connections that are allowed."""
        return 2 * lines * self.connections_seconds / (RETRY_SHARE * self.connections)


class Calls(msgspec.Struct, frozen=True, kw_only=True):
    """The REST calls; symbols are unified, and what is none raises ValueError."""

    snapshot: Callable[[str, int], Call]  # symbol, levels a side
    book_poll: Callable[[str], Call]  # symbol
    closed_kline: Callable[[str, int], Call]  # symbol, when its minute began (ms since 1970)
    exchange_info: Callable[[tuple[str, ...]], list[Call]]  # symbols
    trades: Callable[[str, int, int], Call]  # symbol, first id, most that are wanted
    server_time: Callable[[], Call]


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What answers mean. The first two raise msgspec.DecodeError for a body that is something else."""

    trade_ids: Callable[[bytes], list[int]]  # of `trades`, ascending
    server_time_ns: Callable[[bytes], int]  # since 1970; the middle of what a coarser clock may mean
    refusal: Callable[[bytes], str]  # an error as a reader wants it; raises nothing
    request_refusal: Callable[[bytes], str]  # why a line's request was refused; empty: it was not. Raises nothing


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """One venue. What only reads (`route`, `event_ns`, `is_shutdown`, `fingerprints`) never raises."""

    name: str
    limits: Limits
    line_url: Callable[[str], str]  # of a base address
    shards: Callable[[tuple[str, ...]], list[tuple[str, ...]]]  # symbols that a line can carry together
    subscriptions: Callable[[tuple[str, ...]], tuple[bytes, ...]]  # a line's requests; ValueError: an unknown symbol
    calls: Calls
    answers: Answers
    route: Callable[[Record], Route]
    sequenced: Mapping[Channel, bool]  # channels whose ids grow -> whether every id is sent
    event_ns: Callable[[bytes], int | None]  # when the venue made a frame's event, since 1970
    is_shutdown: Callable[[bytes], bool]  # whether an unrouted frame says that the venue hangs up
    primer: bytes  # the dictionary that chunks are compressed with
    fingerprints: Callable[[Record], Iterable[Fingerprint]]  # of the events in a record

    @property
    def dense(self) -> frozenset[Channel]:
        """The sequenced channels of which every id is sent."""
        return frozenset(channel for channel, dense in self.sequenced.items() if dense)
