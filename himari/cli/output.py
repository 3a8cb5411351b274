"""What a command prints on stdout: JSON for machines, tables for people. NO_COLOR and a pipe mean no colour."""

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table


def print_json(value: Any) -> None:
    """Print a msgspec value (or builtins) as indented JSON."""
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> "Table":
    """A table whose figures stand to the right, those being the columns that begin with `#`."""
    from rich import box
    from rich.table import Table

    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold", pad_edge=False)
    for column in columns:
        made.add_column(column.removeprefix("#"), justify="right" if column.startswith("#") else "left")
    for row in rows:
        made.add_row(*(str(cell) for cell in row))
    return made


def show(*things: Any) -> None:
    """Print tables and lines on stdout. When that is no terminal, lines stay whole, and tables are as wide as they are,
    or as COLUMNS says."""
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(highlight=False, markup=False, width=200)
    for thing in things:
        console.print(thing, soft_wrap=isinstance(thing, str) and not console.is_terminal)
