"""pip as a command of ours."""

import sys

from himari.apply.tool import run_tool
from himari.stack.errors import MachineError

# A fixed date makes the same sources give the same wheel.
_ENVIRONMENT = {"SOURCE_DATE_EPOCH": "1577836800", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def pip(*arguments: str) -> None:
    """Run pip. Raises MachineError with its last lines when it fails or is ended."""
    code, said = run_tool([sys.executable, "-m", "pip", *arguments], _ENVIRONMENT)
    if code:
        last = "\n".join(said.strip().splitlines()[-5:])
        hint = "a package index must be reachable once; the wheels are kept after that"
        raise MachineError(f"pip {arguments[0]} failed: {last}", "wheels", "locked wheels for the hosts", hint)
