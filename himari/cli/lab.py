"""`himari lab`: the lab's hosts, looked at, entered and broken."""

from typing import TYPE_CHECKING, Annotated

import typer

from himari.cli import faults
from himari.cli.arguments import HostName, InStack, Json, Yes, confirm

if TYPE_CHECKING:
    from himari.lab.lab import LabStatus

HELP = """The hosts of labs on this machine.

Example: himari lab exec edge -- journalctl -u himari-collector -n 20
"""

app = typer.Typer(name="lab", help=HELP, no_args_is_help=True, rich_markup_mode=None)


app.add_typer(faults.app)
Words = Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="The command, after --.")]


@app.command("ls", short_help="List labs and their hosts")
def ls(as_json: Json = False) -> int:
    """List the labs of this machine, whose they are, their hosts, and the faults that are in force.

    Example: himari lab ls
    """
    import os

    from himari.cli.output import print_json, show, table
    from himari.lab.lab import list_labs

    labs = list_labs()
    if as_json:
        print_json(labs)
    else:
        rows = [
            (one.stack, one.host, one.address, _state(one), one.memory_mb, one.lab, "\n".join(one.faults))
            for one in labs
        ]
        columns = ("stack", "host", "address", "state", "#MB", "lab", "faults")
        show(table("Labs on this machine", columns, rows) if rows else "there is no lab on this machine")
        if rows and os.geteuid() != 0:
            show("faults in force are shown to root only")
        theirs = {one.lab: one for one in labs if one.elsewhere and not one.orphan}
        show(*(f"{lab} ({one.stack}) is another checkout's: {one.elsewhere}" for lab, one in theirs.items()))
        alone = {one.lab: one.orphan for one in labs if one.orphan}
        show(*(f"{lab} is an orphan: {reason}: himari lab prune removes it" for lab, reason in alone.items()))
    return 0


@app.command("prune", short_help="Remove labs whose state is gone")
def prune(yes: Yes = False, as_json: Json = False) -> int:
    """Remove labs that no stack's command reaches any more, and what is cached but not used lately; tell what is left.

    Example: himari lab prune --yes
    """
    from himari.cli.output import print_json, show
    from himari.runs.prune import doomed, sentence
    from himari.runs.prune import prune as run
    from himari.stack.errors import LEFT

    labs = doomed()
    if labs:
        confirm(map(sentence, labs), "Remove them?", "himari lab prune --yes", yes)
    report = run(labs)
    if as_json:
        print_json(report)
    else:
        show(*([f"removed: {item}" for item in report.removed] or ["there was nothing to remove"]))
        show(*(f"left: {item}" for item in report.left))
    return LEFT if report.left else 0


@app.command("shell", short_help="Open a root shell on a host")
def shell(host: HostName, stack: InStack = "") -> int:
    """Open a root shell on a host, also when its network or ssh is broken.

    Example: himari lab shell edge
    """
    return _enter(host, stack, [])


@app.command("exec", short_help="Run a command on a host")
def execute(host: HostName, command: Words, stack: InStack = "") -> int:
    """Run a command as root on a host; its output and exit code are passed through.

    Example: himari lab exec edge -- systemctl status himari-collector
    """
    return _enter(host, stack, command)


def _state(one: "LabStatus") -> str:
    return f"{one.state}, orphan" if one.orphan else one.state


def _enter(host: str, stack: str, command: list[str]) -> int:
    import os

    from himari.lab.lab import enter, exec_argv
    from himari.lab.preflight import require_root
    from himari.runs.labs import which_stack

    require_root()
    chosen = stack or which_stack(host)
    argv = exec_argv(chosen, host, command) if command else enter(chosen, host)
    # The command takes this process's place: its streams, its signals and its exit code are the caller's.
    os.execvp(argv[0], argv)  # noqa: S606 - an argument vector of ours
