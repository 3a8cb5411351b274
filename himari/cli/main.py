"""`himari`: the entry point. Each verb has a file of its own and imports what it needs when it runs."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from himari.cli import (
    cutover,
    destroy,
    doctor,
    drift,
    drill,
    lab,
    open_,
    plan,
    rollback,
    schema,
    secrets_,
    status,
    up,
    validate,
)
from himari.cli.failure import guarded

EXIT_CODES = """\b
Exit codes:
  0   done; for status, drift and validate: all is well
  1   destroy or lab prune: something is left that was to be removed
  2   the command line or a stack file is wrong
  3   what the stack file asks for does not fit
  4   a host is unreachable, refuses, or has another key
  5   this machine lacks something (himari doctor)
  6   a step on a host failed
  7   a check or the ledger is red, a drill was missed, or a host is unwell
  8   a host differs from the files
  9   another run holds the stack
  70  a fault of Himari itself; a log says more
  130 stopped by Ctrl-C

\b
Example:
  himari plan lab-edge && himari up lab-edge
"""

app = typer.Typer(
    name="himari",
    help="From nothing to a market-data stack that is running and proven.",
    epilog=EXIT_CODES,
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"himari {version('himari')}")
        raise typer.Exit


@app.callback()
def _himari(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


app.command("plan", short_help="Show what a stack would be")(plan.plan)
app.command("up", short_help="Make, deploy and prove a stack")(up.up)
app.command("validate", short_help="Prove a running stack again")(validate.validate)
app.command("status", short_help="Show how the hosts are doing")(status.status)
app.command("drift", short_help="Say what differs from the files")(drift.drift)
app.command("drill", short_help="Break a lab on purpose and prove what holds")(drill.drill)
app.command("cutover", short_help="Take over from your own consumer")(cutover.cutover)
app.command("rollback", short_help="Undo a cutover")(rollback.rollback)
app.command("open", short_help="Open a private port here")(open_.open_)
app.add_typer(secrets_.app)
app.command("destroy", short_help="Remove a stack, whole or half made")(destroy.destroy)
app.add_typer(lab.app)
app.command("schema", short_help="Print what a stack file may say")(schema.schema)
app.command("doctor", short_help="Say what this machine lacks")(doctor.doctor)


def run(argv: Sequence[str]) -> int:
    """Do what `argv` (without the program's name) asks for; the exit code."""
    command = typer.main.get_command(app)
    return guarded(argv, lambda: command.main(list(argv), prog_name="himari", standalone_mode=False))


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
