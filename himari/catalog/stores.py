"""The stores of a stack, as those who read them reach them."""

from collections.abc import Iterator

import msgspec

from himari.catalog import broker, kafka, neo4j, ports, postgresql, redis_features
from himari.catalog.component import View
from himari.stack.model import Role
from himari.stack.network import tunnel_address


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """One store."""

    name: str
    role: Role
    listener: str
    port: int
    user: str
    credential: str
    host: str = ""  # its address in the tunnel
    database: str = ""  # within it, where there are several
    metrics: tuple[str, ...]  # listeners that tell how its host and it do


# What is the same on each host that has one.
KINDS = (
    Store(
        name="features",
        role=Role.FEATURES,
        listener=redis_features.LISTENER,
        port=ports.REDIS_FEATURES,
        user="reader",
        credential=redis_features.READER,
        metrics=("node-metrics", "redis-metrics"),
    ),
    Store(
        name="analytics",
        role=Role.ANALYTICS,
        listener=postgresql.LISTENER,
        port=ports.POSTGRESQL,
        user="reader",
        credential=postgresql.READER,
        database=postgresql.DATABASE,
        metrics=("node-metrics", "postgresql-metrics"),
    ),
    Store(
        name="graph",
        role=Role.GRAPH,
        listener=neo4j.LISTENER,
        port=ports.NEO4J,
        user=neo4j.READER.name,
        credential=neo4j.READER.secret,
        metrics=("node-metrics",),
    ),
    Store(
        name="broker",
        role=Role.BROKER,
        listener=kafka.LISTENER,
        port=ports.KAFKA,
        user=broker.READER,
        credential=broker.secret(broker.READER),
        metrics=("node-metrics",),
    ),
)


def stores(view: View) -> Iterator[Store]:
    """All of them."""
    for kind in KINDS:
        for name in view.stack.hosts_with(kind.role):
            yield msgspec.structs.replace(kind, host=tunnel_address(view.stack, name))
