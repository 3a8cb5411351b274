"""The reference of all keys in docs/stack-files.md: a table of Markdown for each table of a stack file.

`python -m himari.stack.reference` writes it there."""

import inspect
import json
from collections.abc import Iterator
from pathlib import Path

from msgspec import NODEFAULT
from msgspec.inspect import Field

from himari.stack.paths import PROJECT
from himari.stack.schema import description, fields
from himari.stack.tables import NAMED, TABLES

PAGE = PROJECT / "docs" / "stack-files.md"
BEGIN, END = "<!-- keys: begin -->\n", "<!-- keys: end -->\n"


def reference() -> str:
    """All tables and keys, in the file's order."""
    return "\n".join(line for name in TABLES for line in _table(name))


def with_reference(page: str) -> str:
    """`page` with the part between its two marks replaced."""
    before, after = page.split(BEGIN, maxsplit=1)[0], page.split(END)[1]
    return f"{before}{BEGIN}{reference()}\n{END}{after}"


def _table(name: str) -> Iterator[str]:
    yield f"\n### `[{name}.NAME]`\n" if name in NAMED else f"\n### `[{name}]`\n"
    yield inspect.cleandoc(TABLES[name].__doc__ or "") + "\n"
    yield "| key | default | meaning |"
    yield "| --- | --- | --- |"
    for field in fields(TABLES[name]):
        yield f"| `{field.encode_name}` | {_default(field)} | {description(field)} |"


def _default(field: Field) -> str:
    if field.default is NODEFAULT:
        return ""
    return "none" if field.default in (None, "", ()) else f"`{json.dumps(field.default)}`"


def write(page: Path = PAGE) -> None:
    """Bring the page up to date."""
    page.write_text(with_reference(page.read_text()))


if __name__ == "__main__":
    write()
