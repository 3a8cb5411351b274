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
    host: str  # its address in the tunnel
    port: int
    user: str
    credential: str
    database: str = ""  # within it, where there are several
    metrics: tuple[str, ...]  # listeners that tell how its host and it do


def stores(view: View) -> Iterator[Store]:
    """All of them."""
    for name in view.stack.hosts_with(Role.FEATURES):
        yield Store(
            name="features",
            role=Role.FEATURES,
            listener=redis_features.LISTENER,
            host=tunnel_address(view.stack, name),
            port=ports.REDIS_FEATURES,
            user="reader",
            credential=redis_features.READER,
            metrics=("node-metrics", "redis-metrics"),
        )
    for name in view.stack.hosts_with(Role.ANALYTICS):
        yield Store(
            name="analytics",
            role=Role.ANALYTICS,
            listener=postgresql.LISTENER,
            host=tunnel_address(view.stack, name),
            port=ports.POSTGRESQL,
            user="reader",
            credential=postgresql.READER,
            database=postgresql.DATABASE,
            metrics=("node-metrics", "postgresql-metrics"),
        )
    for name in view.stack.hosts_with(Role.GRAPH):
        yield Store(
            name="graph",
            role=Role.GRAPH,
            listener=neo4j.LISTENER,
            host=tunnel_address(view.stack, name),
            port=ports.NEO4J,
            user=neo4j.READER.name,
            credential=neo4j.READER.secret,
            metrics=("node-metrics",),
        )
    for name in view.stack.hosts_with(Role.BROKER):
        yield Store(
            name="broker",
            role=Role.BROKER,
            listener=kafka.LISTENER,
            host=tunnel_address(view.stack, name),
            port=ports.KAFKA,
            user=broker.READER,
            credential=broker.secret(broker.READER),
            metrics=("node-metrics",),
        )
