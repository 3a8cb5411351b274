"""`himari rollback`."""

import sys

from himari.cli.arguments import Json, StackName


def rollback(stack: StackName, as_json: Json = False) -> int:
    """Undo a cutover: your own consumer runs again, then ours is stopped; no data is touched.

    Interrupted anywhere, the same command goes on. Exit codes: 2 no cutover was begun, 4 or 6 your consumer does not
    start (ours runs on then).

    Example: himari rollback tokyo
    """
    from himari.cli.cutover import tell
    from himari.cli.display import progress
    from himari.runs.rollback import rollback as run
    from himari.stack.load import load_stack

    loaded = load_stack(stack)
    with progress() as listener:
        report = run(loaded, ("himari", *sys.argv[1:]), listener)
    tell(report, as_json)
    return 0
