"""pip as a command of ours: it ends with the run that wanted its wheels."""

import contextlib
import os
import signal
import subprocess
import sys

from himari.stack.errors import MachineError

_AT_WORK: set["subprocess.Popen[str]"] = set()


def pip(*arguments: str) -> None:
    """Run pip. Raises MachineError with its last lines when it fails or is ended."""
    # A fixed date makes the same sources give the same wheel.
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1577836800", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    argv = [sys.executable, "-m", "pip", *arguments]
    with subprocess.Popen(
        argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment, process_group=0
    ) as process:
        _AT_WORK.add(process)
        try:
            said = process.communicate()[1]
        finally:
            _end(process)
            _AT_WORK.discard(process)
    if process.returncode:
        last = "\n".join(said.strip().splitlines()[-5:])
        hint = "a package index must be reachable once; the wheels are kept after that"
        raise MachineError(f"pip {arguments[0]} failed: {last}", "wheels", "locked wheels for the hosts", hint)


def end_all() -> None:
    """End every pip that is at work, with what it builds."""
    for process in tuple(_AT_WORK):
        _end(process)


def _end(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
