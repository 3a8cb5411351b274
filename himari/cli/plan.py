"""`himari plan`."""

from typing import TYPE_CHECKING, Annotated

import typer

from himari.cli.arguments import Json, StackName

if TYPE_CHECKING:
    from himari.runs.plan import PlanReport


def plan(
    stack: StackName,
    hosts: Annotated[bool, typer.Option("--hosts", help="Ask the hosts what differs from the files.")] = False,
    as_json: Json = False,
) -> int:
    """Show what a stack would be: hosts, what is held where and for how long, what is fetched. Changes nothing.

    Example: himari plan vps-brain
    """
    from himari.cli.output import print_json
    from himari.runs.plan import plan as run
    from himari.stack.load import load_stack

    report = run(load_stack(stack), ask_hosts=hosts)
    if as_json:
        print_json(report)
    else:
        _show(report)
    return 0


def _show(report: "PlanReport") -> None:
    raise NotImplementedError
