"""All components by name."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from himari.catalog.component import Component, View

NAMES = (
    "accounts",
    "sshd",
    "chrony",
    "kernel",
    "upgrades",
    "redis_buffer",
    "authority",
    "redis_features",
    "postgresql",
    "neo4j",
    "kafka",
    "wireguard",
    "nftables",
    "irq",
    "exporters",
    "runtime",
    "collector",
    "segments",
    "consumer",
    "reader",
    "deadman",
    "exchange",
    "self_check",
)

# What makes a whole host ours; the user's own machine (`existing`) never gets them.
WHOLE_HOST = frozenset({"accounts", "sshd", "chrony", "kernel", "upgrades", "irq", "exporters"})

Declaration = Callable[[View], Component]


def declaration(name: str) -> Declaration:
    """The function that says what component `name` is on a host; KeyError when there is no such component."""
    if name not in NAMES:
        raise KeyError(name)
    return cast(Declaration, import_module(f"himari.catalog.{name}").component)
