"""Programs that fetch and build for us, pip and Maven: they end with the run that wanted what they make."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_AT_WORK: set["subprocess.Popen[str]"] = set()


def run_tool(argv: Sequence[str], environment: Mapping[str, str], folder: Path | None = None) -> tuple[int, str]:
    """Run `argv` in `folder` with `environment` besides ours; its exit code, and all that it said."""
    with subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, **environment},
        cwd=folder,
        process_group=0,
    ) as process:
        _AT_WORK.add(process)
        try:
            said = process.communicate()[0]
        finally:
            _end(process)
            _AT_WORK.discard(process)
    return process.returncode, said


def end_all() -> None:
    """End every one that is at work, with what it has started."""
    for process in tuple(_AT_WORK):
        _end(process)


def _end(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
