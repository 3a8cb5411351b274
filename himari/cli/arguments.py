"""Arguments and options that several verbs share."""

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from himari.stack.errors import CapacityError, HimariError, StackFileError

if TYPE_CHECKING:
    from himari.stack.model import Stack


def host_names(incomplete: str) -> list[str]:
    """The hosts of this machine's labs whose names begin so, for the shell's completion."""
    from himari.lab.lab import list_labs

    return sorted({one.host for one in list_labs() if one.host.startswith(incomplete)})


def size(text: str) -> int:
    """A number of bytes, which may end in K, M or G (10^3, 10^6, 10^9); for typer's `parser`."""
    found = re.fullmatch(r"(\d+)([KMG]?)", str(text).strip().upper())
    if found is None:
        raise typer.BadParameter(f"{text!r} is no size; expected a number of bytes, as 500000000 or 500M")
    return int(found[1]) * int(1000 ** " KMG".index(found[2] or " "))


def stack_names(incomplete: str) -> list[str]:
    """The shipped and own stacks whose names begin so, for the shell's completion."""
    from himari.stack.paths import INVENTORIES

    return sorted(path.stem for path in INVENTORIES.glob(f"{incomplete}*.toml"))


StackName = Annotated[
    str, typer.Argument(metavar="STACK", help="A file of inventories/, without .toml.", autocompletion=stack_names)
]
HostName = Annotated[
    str, typer.Argument(metavar="HOST", help="A host of the lab: exchange, edge, brain.", autocompletion=host_names)
]
InStack = Annotated[
    str, typer.Option("--stack", metavar="STACK", help="Which lab, when several are up.", autocompletion=stack_names)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout; progress stays on stderr.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def confirm(doomed: Iterable[str], question: str, command: str, yes: bool) -> None:
    """Say what will be removed and return when a person agrees, or at once with `--yes`.

    Raises Abort when the answer is no, and StackFileError, naming `command`, when there is nobody to ask."""
    if yes:
        return
    typer.echo("\n".join(doomed), err=True)
    if not sys.stdin.isatty():
        what = "this is asked before anything is removed, and nobody is here to answer"
        raise StackFileError(what, "stdin", "a terminal, or --yes", command)
    if not typer.confirm(question, err=True):
        raise typer.Abort("nothing was removed")


@contextmanager
def opened(name: str) -> "Iterator[Stack]":
    """The stack of that name; what is refused of its keys inside the block names its file, too."""
    from himari.stack.load import load_stack, stack_path

    stack = load_stack(name)
    try:
        yield stack
    except Exception as error:
        cause = error if isinstance(error, HimariError) else error.__cause__
        if (
            isinstance(cause, CapacityError | StackFileError)
            and cause.where.partition(".")[0] in stack.__struct_fields__
        ):
            cause.where = f"{stack_path(name)}: {cause.where}"
        raise
