"""The schema is complete: what a file may say is told, and what is told loads."""

import re
import tomllib

import msgspec
import pytest

from himari.stack.load import parse_stack
from himari.stack.model import Table
from himari.stack.schema import description, fields, json_schema, schema_text
from himari.stack.tables import TABLES


def test_the_example_loads() -> None:
    assert parse_stack(schema_text(), "example.toml").hosts.keys() == {"edge", "brain"}


def test_the_example_loads_with_every_key_stated() -> None:
    text = schema_text().replace('# plan = ""', "#").replace('# location = ""', "#").replace('# address = ""', "#")
    stated = re.sub(r"(?m)^# (\w+ = )", r"\1", text)
    assert parse_stack(stated, "example.toml") != parse_stack(schema_text(), "example.toml")  # budget_usd is stated


@pytest.mark.parametrize(("name", "table"), TABLES.items(), ids=TABLES)
def test_each_key_is_documented_and_shown(name: str, table: type[Table]) -> None:
    shown = schema_text()
    for field in fields(table):
        assert description(field), f"{name}.{field.name} has no description"
        assert re.search(rf"(?m)^(# )?{field.name} = ", shown), f"{name}.{field.name} is not shown"


def test_what_is_shown_behind_a_hash_is_the_default() -> None:
    lines = re.findall(r"(?m)^# (\w+) = ([^#\n]+)$", schema_text())
    defaults = {field.name: field.default for table in TABLES.values() for field in fields(table)}
    told = {name: tomllib.loads(f"x = {value}")["x"] for name, value in lines}
    assert told
    # TOML has lists where the structs have tuples.
    assert told == {name: msgspec.json.decode(msgspec.json.encode(defaults[name])) for name in told}


def test_editors_get_a_schema_with_the_descriptions() -> None:
    host = json_schema()["$defs"]["Host"]
    assert host["properties"]["memory_mb"]["description"] == "Memory, in MiB."
    assert host["additionalProperties"] is False
