"""`himari destroy`."""

import sys
from shlex import join
from typing import Annotated

import typer

from himari.cli.arguments import Json, StackName, Yes, confirm

Gone = Annotated[
    list[str] | None,
    typer.Option("--gone", metavar="HOST", help="A host that is gone for good: forget it. Refused while it answers."),
]


def counted(things: int) -> str:
    """A number of things in words."""
    return {0: "nothing", 1: "1 thing"}.get(things, f"{things} things")


def destroy(stack: StackName, yes: Yes = False, gone: Gone = None, as_json: Json = False) -> int:
    """Remove a stack, whole or half made; ends with the list of what is left, which should be empty.

    Example: himari destroy lab-edge --yes
    """
    from himari.cli.display import progress
    from himari.cli.output import print_json, show
    from himari.runs.destroy import destroy as run
    from himari.runs.intent import intent
    from himari.stack.errors import LEFT
    from himari.stack.load import load_stack

    loaded = load_stack(stack)
    given_up = tuple(gone or ())
    again = join(("himari", "destroy", stack, *(word for name in given_up for word in ("--gone", name)), "--yes"))
    confirm(intent(loaded, given_up), f"Destroy {loaded.name}?", again, yes)
    with progress() as listener:
        report = run(loaded, ("himari", *sys.argv[1:]), listener, given_up)
    if as_json:
        print_json(report)
    else:
        show(f"{report.stack}: removed {counted(len(report.removed))} after {report.seconds:.1f} s")
        show(*(f"stays: {item}" for item in report.stays))
        show(*([f"left: {item}" for item in report.left] or ["left: nothing"]))
    return LEFT if report.left else 0
