"""What a stack file may say, from the structs: a JSON Schema for editors, an example with a comment on each key."""

import inspect
import json
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.inspect import Field, Metadata, StructType, type_info

from himari.stack.model import Provider, Role, Stack, Table
from himari.stack.tables import NAMED, TABLES

# One example host for each way to have one; keys that are not named here are shown with their default, or not at all.
_HOSTS: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "edge",
        {
            "provider": Provider.STATIC,
            "roles": [Role.EDGE],
            "address": "203.0.113.10",
            "cpus": 2,
            "memory_mb": 4096,
            "disk_gb": 80,
        },
    ),
    (
        "brain",
        {
            "provider": Provider.STATIC,
            "roles": [Role.BRAIN],
            "address": "local",
            "existing": True,
            "cpus": 8,
            "memory_mb": 16384,
            "disk_gb": 2000,
        },
    ),
)
_NAMES = {"venues": "binance", "sources": "vendor"}  # of tables that have one each; hosts are shown one by one
_STATED: dict[str, dict[str, Any]] = {"access": {"ssh_from": ["198.51.100.7/32"]}}


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a stack file."""
    return msgspec.json.schema(Stack)


def schema_text() -> str:
    """A stack file that loads, with every key: its meaning, its unit, and its value where the key is left out."""
    parts = ["# A stack file. A key behind # may be left out: it has the value shown then.\n"]
    for name, table in TABLES.items():
        if name == "hosts":
            parts += [_table(f"hosts.{host}", table, stated) for host, stated in _HOSTS]
        else:
            parts.append(_table(f"{name}.{_NAMES[name]}" if name in NAMED else name, table, _STATED.get(name, {})))
    return "\n".join(parts)


def description(field: Field) -> str:
    """What a field's declaration says of it; empty when it says nothing."""
    return str((_extra(field) or {}).get("description", ""))


def fields(table: type[Table]) -> tuple[Field, ...]:
    """The keys of a table, in its order."""
    info = type_info(table)
    return info.fields if isinstance(info, StructType) else ()


def _table(name: str, table: type[Table], stated: dict[str, Any]) -> str:
    title = inspect.cleandoc(table.__doc__ or "")
    return "\n".join(
        (f"# {title}", f"[{name}]", *(line for field in fields(table) for line in _key(field, stated)), "")
    )


def _key(field: Field, stated: dict[str, Any]) -> Iterator[str]:
    yield f"# {description(field)}"
    if field.name in stated or field.required:
        yield f"{field.name} = {_toml(stated.get(field.name, _example(field)))}"
    elif field.default is None:
        yield f"# {field.name} = {_toml(_example(field))}  # for example; left out, there is none"
    elif field.default in ("", ()):
        yield f"# {field.name} = {_toml(field.default)}  # for example {_toml(_example(field))}"
    else:
        yield f"# {field.name} = {_toml(field.default)}"


def _extra(field: Field) -> dict[str, Any] | None:
    return field.type.extra_json_schema if isinstance(field.type, Metadata) else None


def _example(field: Field) -> Any:
    examples = (_extra(field) or {}).get("examples", [])
    return examples[0] if examples else None


def _toml(value: Any) -> str:
    """Strings, numbers, booleans and lists of them look the same in JSON and TOML."""
    return json.dumps(value)
