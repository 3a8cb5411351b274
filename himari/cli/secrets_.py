"""`himari secrets`: the values that a stack's hosts share, kept encrypted."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from himari.cli.arguments import Json, StackName

if TYPE_CHECKING:
    from himari.runs.stack_secrets import InitReport

HELP = """The secrets of a stack: passwords and the webhook's URL, in a file that sops encrypts with your age key.

A lab makes its own and needs no such file.

Example: himari secrets init tokyo
"""

app = typer.Typer(name="secrets", help=HELP, no_args_is_help=True, rich_markup_mode=None)
Name = Annotated[str, typer.Argument(metavar="NAME", help="A secret, as redis-reader; a wrong one lists them all.")]


@app.command("init", short_help="Make the key, the rules and what is missing")
def init(stack: StackName, as_json: Json = False) -> int:
    """Make the age key where sops looks for it, the rules, and a random value for each secret that has none.

    May be repeated: what is there stays. Values that lay in clear in the stack's state are moved, so that no host
    changes. What only you know is named.

    Example: himari secrets init tokyo
    """
    from himari.cli.output import print_json
    from himari.runs.stack_secrets import init as run
    from himari.stack.load import load_stack
    from himari.stack.paths import StateDir

    loaded = load_stack(stack)
    report = run(loaded, StateDir.of(loaded.name), ("himari", *sys.argv[1:]))
    if as_json:
        print_json(report)
    else:
        _show(report)
    return 0


@app.command("edit", short_help="Open your editor on them")
def edit(stack: StackName) -> int:
    """Open $EDITOR on the secrets, decrypted in memory, and encrypt what was saved.

    Example: himari secrets edit tokyo
    """
    from himari.cli.output import show
    from himari.runs.stack_secrets import edit as run
    from himari.stack.load import load_stack
    from himari.stack.paths import StateDir

    loaded = load_stack(stack)
    seen = run(loaded, StateDir.of(loaded.name), ("himari", *sys.argv[1:]))
    show(*seen.says, f"Next: himari up {loaded.name} deploys what was changed, and restarts only what uses it")
    return 0


@app.command("rotate", short_help="Give one another value")
def rotate(stack: StackName, name: Name, as_json: Json = False) -> int:
    """Give a secret another random value; himari up deploys it, and from then on the old one is refused.

    A server's key (features-key) is renewed with its certificate. What only you know is changed by himari secrets edit.

    Example: himari secrets rotate tokyo redis-reader
    """
    from himari.cli.output import print_json, show
    from himari.runs.stack_secrets import rotate as run
    from himari.stack.load import load_stack
    from himari.stack.paths import StateDir

    loaded = load_stack(stack)
    report = run(loaded, StateDir.of(loaded.name), name, ("himari", *sys.argv[1:]))
    if as_json:
        print_json(report)
        return 0
    show(f"{report.name}: another value is in {report.where}; the hosts still have the old one")
    show(f"Next: himari up {report.stack} deploys it, after which the old one is refused, and restarts only:")
    show(*(f"  {unit}" for unit in report.units))
    return 0


def _show(report: "InitReport") -> None:
    from himari.cli.output import show

    if report.key_made:
        show(f"A new age key: {report.key_file}. Keep a copy elsewhere: without it nobody reads the secrets.")
    show(f"{report.file}, which your key in {report.key_file} opens:")
    parts = {
        "made": report.made,
        "moved from the stack's state, where they lay in clear": report.moved,
        "were there": report.kept,
    }
    show(*(f"  {what}: {', '.join(names)}" for what, names in parts.items() if names))
    show(*(f"The secret {name} is yours to give: himari secrets edit {report.stack}" for name in report.missing))
    show(f"Next: commit that file and its folder's .sops.yaml; himari up {report.stack}")
