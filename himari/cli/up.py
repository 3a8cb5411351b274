"""`himari up`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from himari.cli.arguments import Json, StackName, opened

if TYPE_CHECKING:
    from himari.runs.report import UpReport

Recording = Annotated[
    Path | None, typer.Option("--recording", metavar="PATH", help="Let the lab's exchange replay this recording.")
]
Speed = Annotated[float, typer.Option("--speed", min=0.1, max=1000.0, help="Replay the recording N-fold.")]
Live = Annotated[bool, typer.Option("--live", help="Point the edge at the real venue (needs internet access).")]


def up(
    stack: StackName, recording: Recording = None, speed: Speed = 1.0, live: Live = False, as_json: Json = False
) -> int:
    """Make, deploy and prove a stack; after a failure it goes on at the first step that is not green.

    Example: himari up lab-edge
    """
    from himari.cli.display import progress
    from himari.cli.output import print_json
    from himari.drills.run import left_steps
    from himari.runs.feed import choose_feed
    from himari.runs.up import up as run
    from himari.stack.errors import ProofFailed
    from himari.stack.paths import StateDir

    with opened(stack) as loaded, progress() as listener:
        feed = choose_feed(loaded, recording, speed, live)
        left = left_steps(loaded, StateDir.of(loaded.name))
        report = run(loaded, feed, recording, ("himari", *sys.argv[1:]), listener, before=left)
    if as_json:
        print_json(report)
    else:
        show_report(report)
    return 0 if report.green else ProofFailed.exit_code


def show_report(report: "UpReport") -> None:
    """Print what an `up` changed and found, for a person."""
    from himari.cli.output import show, table

    columns = ("phase", "#hosts", "#changed", "#passed", "#failed", "#not covered", "#seconds")
    rows = [(r.phase, r.hosts, r.changed, r.passed, r.failed, r.not_covered, f"{r.seconds:.1f}") for r in report.rows]
    verdict = "green" if report.green else "RED"
    show(table(f"{report.stack}: {verdict} after {report.seconds:.1f} s", columns, rows))
    show(*(f"A fault is in force in this lab: {one}: himari lab heal ends it" for one in report.faults))
    show(*report.strays, *report.failed, report.account, f"Input: {report.input}", f"Evidence: {report.page}")
    show(f"Next: himari status {report.stack} · himari drift {report.stack} · himari destroy {report.stack}")
