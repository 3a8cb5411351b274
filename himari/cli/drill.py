"""`himari drill`."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from himari.cli.arguments import Json, stack_names

if TYPE_CHECKING:
    from himari.drills.run import DrillReport
    from himari.proof.evidence import DrillRecord


def drill_names(incomplete: str) -> list[str]:
    """Drills whose names begin so, for the shell's completion."""
    from himari.drills.known import DRILLS

    return [one.name for one in DRILLS if one.name.startswith(incomplete)]


Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="A drill; suite: all that may share one window; all: each alone.",
        autocompletion=drill_names,
    ),
]
Stack = Annotated[str, typer.Argument(metavar="STACK", help="A lab that is up.", autocompletion=stack_names)]
Listed = Annotated[bool, typer.Option("--list", help="Say what each drill does, and end.")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Break the same things again; else by chance.")]
Repeat = Annotated[int, typer.Option("--repeat", min=1, help="How often, each time with the next seed.")]


def drill(
    name: Name = "",
    stack: Stack = "",
    *,
    listed: Listed = False,
    seed: Seed = None,
    repeat: Repeat = 1,
    as_json: Json = False,
) -> int:
    """Break something in a lab on purpose, and prove that nothing is lost and all is well in time.

    Example: himari drill collector-kill lab-edge
    """
    from himari.cli.display import progress
    from himari.cli.output import print_json
    from himari.drills.run import chosen
    from himari.drills.run import drill as run
    from himari.stack.errors import ProofFailed, StackFileError
    from himari.stack.load import load_stack
    from himari.stack.paths import StateDir

    if listed:
        return _list(as_json)
    if not name or not stack:
        raise StackFileError("say which drill, and on which stack", "himari drill", "NAME STACK", "himari drill --list")
    chosen(name)
    loaded = load_stack(stack)
    with progress() as listener:
        argv, state = ("himari", *sys.argv[1:]), StateDir.of(loaded.name)
        report = run(loaded, name, _seeds(seed, repeat), argv=argv, listener=listener, state=state)
    if as_json:
        print_json(report)
    else:
        _show(report)
    return 0 if report.green else ProofFailed.exit_code


def _seeds(seed: int | None, repeat: int) -> list[int]:
    from secrets import randbelow

    first = randbelow(1_000_000) if seed is None else seed
    return [first + number for number in range(repeat)]


def _list(as_json: bool) -> int:
    from himari.cli.output import print_json, show, table
    from himari.drills.listing import listing

    found = listing()
    if as_json:
        print_json(found)
        return 0
    rows = [(one.name, one.says, one.deadline, f"{one.takes:.0f}", one.gaps) for one in found]
    show(table("Drills", ("name", "what is done", "deadline", "#takes s", "gaps"), rows))
    show(*(f"{one.name} cannot show here: {one.not_covered}" for one in found if one.not_covered))
    return 0


def _show(report: "DrillReport") -> None:
    from himari.cli.output import show, table

    missed = sum(bool(one.reason) for one in report.drills)
    verdict = f"{missed} of {len(report.drills)} MISSED" if missed else "held"
    rows = [(one.name, one.status, _seconds(one), f"{one.within:.0f}", one.gaps, one.seed) for one in report.drills]
    columns = ("drill", "verdict", "#recovered s", "#allowed s", "#gaps", "#seed")
    show(table(f"{report.stack}: {verdict} after {report.seconds:.1f} s", columns, rows))
    show(*(f"{one.name}: {one.seen}" for one in report.drills if one.seen))
    show(*(f"MISSED {one.name} (--seed {one.seed}): {one.reason}" for one in report.drills if one.reason))
    show(f"Evidence: {report.evidence}")


def _seconds(one: "DrillRecord") -> str:
    return "-" if one.recovery_seconds is None else f"{one.recovery_seconds:.1f}"
