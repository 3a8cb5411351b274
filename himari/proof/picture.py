"""The picture of a stack's evidence page for the README. Usage: make picture, after a green `himari up`."""

import sys
from pathlib import Path

from himari.proof.browser import photograph
from himari.proof.evidence import read_evidence
from himari.stack.errors import HimariError, ProofFailed
from himari.stack.paths import StateDir

WIDTH, HEIGHT = 1200, 1500


def picture(stack_name: str, path: Path) -> None:
    """Write the picture to `path`. Raises ProofFailed for a stack that is not proven, MachineError if no browser."""
    evidence = StateDir.of(stack_name).evidence
    if not evidence.exists() or not read_evidence(evidence).green:
        raise ProofFailed("a picture shows a green proof", stack_name, "green evidence", f"himari up {stack_name}")
    photograph(evidence.with_suffix(".html"), path, width=WIDTH, height=HEIGHT)


def main() -> None:
    """Arguments: the stack's name and the picture's path."""
    try:
        picture(sys.argv[1], Path(sys.argv[2]))
    except HimariError as error:
        sys.exit(f"picture: {error}")


if __name__ == "__main__":
    main()
