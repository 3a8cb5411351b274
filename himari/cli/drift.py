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
        report = run(loaded, listener)
    if as_json:
        print_json(report)
    elif report.ok:
        show(f"{loaded.name}: all hosts are as the files say")
    elif report.differs:
        rows = [(one.host, one.day, one.what) for one in report.differs]
        show(table(f"{loaded.name} differs from the files", ("host", "day", "what"), rows), *report.diff)
        show(f"Mend it: himari up {loaded.name}")
    if not as_json:
        show(*report.strays)
    return 0 if report.ok else DriftFound.exit_code
