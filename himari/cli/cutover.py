"""`himari cutover`."""

import sys
from typing import TYPE_CHECKING

from himari.cli.arguments import Json, StackName

if TYPE_CHECKING:
    from himari.runs.cutover import CutoverReport


def cutover(stack: StackName, as_json: Json = False) -> int:
    """Take over from your own consumer: both run until their counts agree, then yours is stopped, not removed.

    Interrupted anywhere, the same command goes on; himari rollback undoes it.
    Exit codes: 2 no [cutover] in the file, 6 your consumer does not run or cannot be counted, 7 a critical check is
    red or the counts did not agree in time (yours runs on).

    Example: himari cutover tokyo
    """
    from himari.cli.display import progress
    from himari.runs.cutover import cutover as run
    from himari.stack.load import load_stack

    loaded = load_stack(stack)
    with progress() as listener:
        report = run(loaded, ("himari", *sys.argv[1:]), listener)
    tell(report, as_json)
    return 0


def tell(report: "CutoverReport", as_json: bool) -> None:
    """Print how a cutover or a rollback ended."""
    from himari.cli.output import print_json, show

    if as_json:
        print_json(report)
        return
    show(*(f"{check.host}: {check.id}: {check.reason} (a warning)" for check in report.checks))
    show(*report.did)
    show(f"{report.stack}: {report.stage} after {report.seconds:.1f} s; {report.in_charge} is in charge")
