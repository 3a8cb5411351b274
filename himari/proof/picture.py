"""The picture of a stack's evidence page for the README. Usage: make picture, after a green `himari up`."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from himari.proof.browser import photograph
from himari.proof.difference import read_previous
from himari.proof.evidence import read_evidence
from himari.proof.page import write_page
from himari.stack.errors import HimariError, ProofFailed
from himari.stack.paths import StateDir

WIDTH, HEIGHT = 1200, 3280


def picture(stack_name: str, path: Path) -> None:
    """Write the picture to `path`. Raises ProofFailed for a stack that is not proven, MachineError if no browser."""
    evidence = StateDir.of(stack_name).evidence
    if not evidence.exists() or not read_evidence(evidence).green:
        raise ProofFailed("a picture shows a green proof", stack_name, "green evidence", f"himari up {stack_name}")
    with TemporaryDirectory() as folder:
        page = Path(folder) / "evidence.html"
        write_page(page, read_evidence(evidence), read_previous(evidence))
        photograph(page, path, width=WIDTH, height=HEIGHT)


def main() -> None:
    """Arguments: the stack's name and the picture's path."""
    try:
        picture(sys.argv[1], Path(sys.argv[2]))
    except HimariError as error:
        sys.exit(f"picture: {error}")


if __name__ == "__main__":
    main()
