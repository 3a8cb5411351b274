"""`himari drift`."""

from himari.cli.arguments import Json, StackName


def drift(stack: StackName, as_json: Json = False) -> int:
    """Say what differs from the files on each host; changes nothing. Exit code 8 when something does.

    Example: himari drift lab-edge
    """
    from himari.cli.display import progress
    from himari.cli.output import print_json, show, table
    from himari.runs.drift import drift as run
    from himari.stack.errors import DriftFound
    from himari.stack.load import load_stack

    loaded = load_stack(stack)
    with progress() as listener:
        found = run(loaded, listener)
    if as_json:
        print_json({"stack": loaded.name, "ok": not found, "differs": found})
    elif found:
        show(
            table(
                f"{loaded.name} differs from the files",
                ("host", "day", "what"),
                [(d.host, d.day, d.what) for d in found],
            )
        )
        show(f"Mend it: himari up {loaded.name}")
    else:
        show(f"{loaded.name}: all hosts are as the files say")
    return DriftFound.exit_code if found else 0
