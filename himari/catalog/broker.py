"""What a stack's broker holds: topics, users and their rights. One declaration, whichever broker it is."""

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from himari.catalog.component import View
from himari.stack.model import Role
from himari.stack.sizes import topic_sizes

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
# Beside what a topic is held for, a rarely written partition's last segment is cut after this part of it.
SEGMENTS_IN_TIME = 7

OPERATOR = "operator"  # who declares; known by a certificate alone
RELAY, STREAM, SINK, READER, WATCHER = "relay", "stream", "sink", "reader", "watcher"


class Kind(StrEnum):
    """What rights are on."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactional_id"
    CLUSTER = "cluster"


class Right(StrEnum):
    """What may be done."""

    READ = "read"
    WRITE = "write"
    DESCRIBE = "describe"
    DESCRIBE_CONFIGS = "describe_configs"


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """A topic and its settings, in the words of the Kafka protocol."""

    name: str
    partitions: int
    config: dict[str, str]


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """One right of a user, on the thing of that name or, `prefixed`, on all whose names begin with it."""

    user: str
    right: Right
    kind: Kind
    name: str
    prefixed: bool = False

    def __str__(self) -> str:
        every = "*" if self.prefixed else ""
        return f"{self.user} {self.right.replace('_', ' ')} {self.kind.replace('_', ' ')} {self.name}{every}"


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Who logs in with a password."""

    name: str
    secret: str  # the stack's secret of that name


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """All that a broker holds but data."""

    topics: tuple[Topic, ...]
    users: tuple[User, ...]
    grants: tuple[Grant, ...]


class _Stream(msgspec.Struct, frozen=True, kw_only=True):
    """A topic's place in the data's way: `share` is its bytes as a part of what the venues send."""

    partitions: int
    days: int
    share: float


RAW, NORMALIZED, QUALITY = "raw_market_data", "market_data_normalized", "quality_scores"
CAUSAL, FEATURES, DEAD_LETTERS = "causal_events", "features_computed", "dead_letters"
_STREAMS = {
    RAW: _Stream(partitions=12, days=7, share=1.0),
    NORMALIZED: _Stream(partitions=12, days=30, share=1.0),
    QUALITY: _Stream(partitions=6, days=14, share=0.3),
    CAUSAL: _Stream(partitions=3, days=30, share=0.01),
    FEATURES: _Stream(partitions=6, days=90, share=0.3),
    DEAD_LETTERS: _Stream(partitions=3, days=30, share=0.01),
}
TOPICS = tuple(_STREAMS)
RESULTS = tuple(name for name in TOPICS if name != RAW)


def declared(view: View) -> Declared:
    """What the broker on the view's host holds."""
    return Declared(topics=tuple(_topics(view)), users=users(), grants=tuple(dict.fromkeys(_grants())))


def users() -> tuple[User, ...]:
    """Who logs in with a password: a user for each service, and one for who watches."""
    return tuple(User(name=name, secret=secret(name)) for name in (RELAY, STREAM, SINK, READER, WATCHER))


def secret(user: str) -> str:
    """The name of the secret that is `user`'s password."""
    return f"{Role.BROKER}-{user}"


def _topics(view: View) -> Iterator[Topic]:
    wanted = {name: (one.partitions, one.days * 24.0, one.share) for name, one in _STREAMS.items()}
    sizes = topic_sizes(view.stack, view.host, wanted)
    for name, one in _STREAMS.items():
        config = {
            "cleanup.policy": "delete",
            "compression.type": sizes[name].compression,
            "retention.bytes": str(sizes[name].retention_bytes),
            "retention.ms": str(one.days * DAY_MS),
            "segment.bytes": str(sizes[name].segment_bytes),
            "segment.ms": str(one.days * DAY_MS // SEGMENTS_IN_TIME),
        }
        yield Topic(name=name, partitions=one.partitions, config=config)


def _grants() -> Iterator[Grant]:
    yield from _topic_grants(RELAY, (RAW,), Right.WRITE)
    # Its second stage reads what the first one has made.
    yield from _topic_grants(STREAM, (RAW, NORMALIZED, FEATURES), Right.READ)
    yield from _topic_grants(STREAM, RESULTS, Right.WRITE)
    yield from _own(STREAM, Kind.TRANSACTIONAL_ID, Right.WRITE, Right.DESCRIBE)
    yield from _topic_grants(SINK, TOPICS, Right.READ)
    yield from _topic_grants(READER, (NORMALIZED, QUALITY, CAUSAL, FEATURES), Right.READ)
    for user in (STREAM, SINK, READER):
        yield from _own(user, Kind.GROUP, Right.READ)
    for kind, name in ((Kind.TOPIC, "*"), (Kind.GROUP, "*"), (Kind.CLUSTER, "kafka-cluster")):
        yield Grant(user=WATCHER, right=Right.DESCRIBE, kind=kind, name=name)
    yield Grant(user=WATCHER, right=Right.DESCRIBE_CONFIGS, kind=Kind.TOPIC, name="*")


def _topic_grants(user: str, topics: tuple[str, ...], right: Right) -> Iterator[Grant]:
    for name in topics:
        yield Grant(user=user, right=right, kind=Kind.TOPIC, name=name)
        yield Grant(user=user, right=Right.DESCRIBE, kind=Kind.TOPIC, name=name)


def _own(user: str, kind: Kind, *rights: Right) -> Iterator[Grant]:
    """Rights on all that begins with the user's own name."""
    yield from (Grant(user=user, right=right, kind=kind, name=user, prefixed=True) for right in rights)
