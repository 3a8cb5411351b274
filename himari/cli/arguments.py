"""Arguments and options that several verbs share."""

from typing import Annotated

import typer


def _stacks(incomplete: str) -> list[str]:
    from himari.stack.paths import INVENTORIES

    return sorted(path.stem for path in INVENTORIES.glob(f"{incomplete}*.toml"))


StackName = Annotated[
    str, typer.Argument(metavar="STACK", help="A file of inventories/, without .toml.", autocompletion=_stacks)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout; progress stays on stderr.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
