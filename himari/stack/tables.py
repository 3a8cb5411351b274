"""The tables of a stack file: which struct stands for which, in the file's order."""

from collections.abc import Iterator, Mapping
from typing import Any

from himari.stack.model import Access, Alerts, Cutover, Header, Host, Network, Retention, Source, Stack, Table, Venue

TABLES: Mapping[str, type[Table]] = {
    "stack": Header,
    "network": Network,
    "access": Access,
    "venues": Venue,
    "retention": Retention,
    "alerts": Alerts,
    "cutover": Cutover,
    "sources": Source,
    "hosts": Host,
}
NAMED = frozenset({"venues", "sources", "hosts"})  # tables of tables: [hosts.edge]


def keyed(tables: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], type[Table]]]:
    """Each table that `tables` (a file's content) holds: its key, what it says, and the struct it stands for."""
    yield "", tables, Stack
    for name, struct in TABLES.items():
        said = tables.get(name)
        if not isinstance(said, Mapping):
            continue
        if name not in NAMED:
            yield name, said, struct
            continue
        for key, inner in said.items():
            if isinstance(inner, Mapping):
                yield f"{name}.{key}", inner, struct


def places(tables: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each place of a file's content where a table belongs: its key, and what is there."""
    for name in TABLES:
        if name in tables:
            yield name, tables[name]
            if name in NAMED and isinstance(tables[name], Mapping):
                yield from ((f"{name}.{key}", said) for key, said in tables[name].items())
