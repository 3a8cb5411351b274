"""`himari destroy`."""

import sys
from shlex import quote

from himari.cli.arguments import Json, StackName, Yes, confirm


def counted(things: int) -> str:
    """A number of things in words."""
    return {0: "nothing", 1: "1 thing"}.get(things, f"{things} things")


def destroy(stack: StackName, yes: Yes = False, as_json: Json = False) -> int:
    """Remove a stack, whole or half made; ends with the list of what is left, which should be empty.

    Example: himari destroy lab-edge --yes
    """
    from himari.cli.display import progress
    from himari.cli.output import print_json, show
    from himari.runs.destroy import destroy as run
    from himari.runs.destroy import intent
    from himari.stack.errors import LEFT
    from himari.stack.load import load_stack

    loaded = load_stack(stack)
    confirm(intent(loaded), f"Destroy {loaded.name}?", f"himari destroy {quote(stack)} --yes", yes)
    with progress() as listener:
        report = run(loaded, ("himari", *sys.argv[1:]), listener)
    if as_json:
        print_json(report)
    else:
        show(f"{report.stack}: removed {counted(len(report.removed))} after {report.seconds:.1f} s")
        show(*(f"stays: {item}" for item in report.stays))
        show(*([f"left: {item}" for item in report.left] or ["left: nothing"]))
    return LEFT if report.left else 0
