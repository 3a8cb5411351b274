"""What a broker lacks of what is declared: pure arithmetic over what it holds."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from math import inf

import msgspec

from himari.catalog.broker import Declared, Grant, Topic, User

RETENTION = ("retention.bytes", "retention.ms")


class Rule(msgspec.Struct, frozen=True, order=True):
    """A right in the Kafka protocol's own words."""

    principal: str  # User:relay
    operation: str
    resource: str
    name: str
    pattern: str  # literal, prefixed
    permission: str = "allow"
    host: str = "*"

    def __str__(self) -> str:
        every = "*" if self.pattern == "prefixed" else ""
        words = [self.principal.removeprefix("User:"), self.operation, self.resource, self.name + every]
        words += [] if self.permission == "allow" else [f"({self.permission})"]
        words += [] if self.host == "*" else [f"from {self.host}"]
        return " ".join(words)


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What a broker holds."""

    topics: Mapping[str, Topic]
    users: frozenset[str]
    rules: frozenset[Rule]


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to do."""

    created: tuple[Topic, ...] = ()
    remade: tuple[Topic, ...] = ()  # no topic can get fewer partitions
    grown: tuple[Topic, ...] = ()
    settings: Mapping[str, Mapping[str, str]] = {}  # by topic
    users: tuple[User, ...] = ()
    departed: tuple[str, ...] = ()  # users
    granted: tuple[Rule, ...] = ()
    withdrawn: tuple[Rule, ...] = ()
    says: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()  # of them: what takes data away


def changes(wanted: Declared, held: Held, good: Collection[str]) -> Changes:
    """What makes `held` what is `wanted`, where the users in `good` have the right password.

    Topics that are not declared hold somebody's data and stay; users and rights that are not declared go."""
    pairs = [(topic, held.topics[topic.name]) for topic in wanted.topics if topic.name in held.topics]
    rules = {_rule(grant) for grant in wanted.grants}
    found = Changes(
        created=tuple(topic for topic in wanted.topics if topic.name not in held.topics),
        remade=tuple(topic for topic, there in pairs if topic.partitions < there.partitions),
        grown=tuple(topic for topic, there in pairs if topic.partitions > there.partitions),
        settings={topic.name: differs for topic, there in pairs if (differs := _settings(topic, there))},
        users=tuple(user for user in wanted.users if user.name not in good),
        departed=tuple(sorted(held.users - {user.name for user in wanted.users})),
        granted=tuple(sorted(rules - held.rules)),
        withdrawn=tuple(sorted(held.rules - rules)),
    )
    return msgspec.structs.replace(found, says=tuple(_words(found, held)), losses=tuple(_losses(found, held)))


def _rule(grant: Grant) -> Rule:
    pattern = "prefixed" if grant.prefixed else "literal"
    return Rule(f"User:{grant.user}", grant.right, grant.kind, grant.name, pattern)


def _settings(topic: Topic, there: Topic) -> dict[str, str]:
    return {key: value for key, value in topic.config.items() if there.config.get(key) != value}


def _words(found: Changes, held: Held) -> Iterator[str]:
    yield from (f"topic {topic.name}: create, {topic.partitions} partitions" for topic in found.created)
    yield from _counts((*found.remade, *found.grown), held)
    for name, settings in found.settings.items():
        yield from _values(name, settings, held)
    for user in found.users:
        yield f"user {user.name}: {'password differs' if user.name in held.users else 'create'}"
    yield from (f"user {name}: remove, not declared" for name in found.departed)
    yield from (f"right {rule}: grant" for rule in found.granted)
    yield from (f"right {rule}: withdraw, not declared" for rule in found.withdrawn)


def _losses(found: Changes, held: Held) -> Iterator[str]:
    yield from _counts(found.remade, held)
    for name, settings in found.settings.items():
        shorter = {
            key: value
            for key, value in settings.items()
            if key in RETENTION and _limit(value) < _limit(held.topics[name].config.get(key, "-1"))
        }
        yield from _values(name, shorter, held)


def _counts(topics: Iterable[Topic], held: Held) -> Iterator[str]:
    for topic in topics:
        yield f"topic {topic.name}: {held.topics[topic.name].partitions} partitions, expected {topic.partitions}"


def _values(name: str, settings: Mapping[str, str], held: Held) -> Iterator[str]:
    for key, value in settings.items():
        yield f"topic {name}: {key} {held.topics[name].config.get(key, 'unset')}, expected {value}"


def _limit(value: str) -> float:
    """A retention as a number; -1 stands for no limit."""
    return inf if value == "-1" else float(value)
