"""Commands on the host, and what it means when one fails."""

from __future__ import annotations

import os
import subprocess
import sys

# needrestart looks through all processes after each call of apt; what runs is restarted by its own digest.
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"}
_LINES = 15  # of a failing command: enough to see why


class StepError(Exception):
    """A step that could not be done: `what` was tried, `lines` say why."""

    def __init__(self, what: str, lines: list[str]) -> None:
        super().__init__(what)
        self.what = what
        self.lines = lines


def attempt(argv: list[str], given: str | None = None, timeout: float = 600) -> subprocess.CompletedProcess[str]:
    """Run `argv` in the C locale, with `given` on its stdin; the caller looks at the exit code."""
    try:
        return subprocess.run(
            argv,
            input=given or "",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,  # one output: the order of what a command said explains its failure
            text=True,
            errors="replace",
            env={**os.environ, **_ENVIRONMENT},
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as missing:
        return subprocess.CompletedProcess(argv, 127, f"{missing.filename}: no such command")
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(argv, 124, f"no answer within {timeout:.0f} s")


def run(argv: list[str], given: str | None = None, timeout: float = 600) -> str:
    """The output of `argv`. Raises StepError with its last lines when it fails."""
    done = attempt(argv, given, timeout)
    if done.returncode:
        raise StepError(f"{' '.join(argv)} (exit code {done.returncode})", done.stdout.strip().splitlines()[-_LINES:])
    return done.stdout


def say(step: str) -> None:
    """Tell the operator's machine, which listens to stderr, what is being done now."""
    sys.stderr.write(f"himari: {step}\n")
    sys.stderr.flush()
