"""`himari validate`."""

import sys
from typing import TYPE_CHECKING

from himari.cli.arguments import Json, StackName

if TYPE_CHECKING:
    from himari.proof.evidence import Evidence
    from himari.stack.paths import StateDir


def validate(stack: StackName, as_json: Json = False) -> int:
    """Prove a running stack again: its checks and the ledger; writes the evidence page.

    Example: himari validate lab-edge
    """
    from himari.cli.display import progress
    from himari.cli.output import print_json
    from himari.runs.validate import validate as run
    from himari.stack.errors import ProofFailed
    from himari.stack.load import load_stack
    from himari.stack.paths import StateDir

    loaded = load_stack(stack)
    with progress() as listener:
        evidence = run(loaded, ("himari", *sys.argv[1:]), listener)
    if as_json:
        print_json(evidence)
    else:
        _show(evidence, StateDir.of(loaded.name))
    return 0 if evidence.green else ProofFailed.exit_code


def _show(evidence: "Evidence", state: "StateDir") -> None:
    from himari.cli.output import show, table
    from himari.runs.report import failed_checks, ledger_sentence

    rows = [(phase.name, phase.passed, phase.failed, phase.not_covered) for phase in evidence.phases]
    verdict = "green" if evidence.green else "RED"
    title = f"{evidence.stack}: {verdict} after {evidence.seconds:.1f} s"
    show(table(title, ("phase", "#passed", "#failed", "#not covered"), rows))
    show(*failed_checks(evidence), ledger_sentence(evidence), f"Input: {evidence.feed.says}")
    show(f"Evidence: {state.evidence.with_suffix('.html')}")
