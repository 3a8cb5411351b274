"""What each figure must be read with: the machine, its load, the date."""

import os
import platform
import subprocess
import time
from pathlib import Path


class MissedError(Exception):
    """A figure is beyond its limit; what was printed says which."""


def machine() -> str:
    """Cores, model, kernel, Python."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown CPU")
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores of {model}, Linux {platform.release()}, Python {platform.python_version()}"


def load() -> str:
    """The load of 1, 5 and 15 minutes, and when."""
    one, five, fifteen = os.getloadavg()
    return f"load {one:.1f} {five:.1f} {fifteen:.1f} at {time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime())}"


def verdict(figure: float, limit: float) -> str:
    """Whether `figure` is at most `limit`."""
    return "met" if figure <= limit else "MISSED"


def verdict_least(figure: float, limit: float) -> str:
    """Whether `figure` is at least `limit`."""
    return "met" if figure >= limit else "MISSED"


def commit() -> str:
    """Of this code; `+` where files differ from it."""
    said = subprocess.run(
        ("git", "-C", Path(__file__).parent, "describe", "--always", "--dirty=+", "--abbrev=12"),
        capture_output=True,
        check=False,
        text=True,
    )
    return f"commit {said.stdout.strip() or 'unknown'}"
