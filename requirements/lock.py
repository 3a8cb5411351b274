"""Resolve `*.in` into hash-locked `*.txt` files that name no registry. Usage: make lock (needs `uv` on PATH)."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ALL = "dev"  # resolved first; the hosts' files are constrained by it, so that tests run what hosts run
HOSTS = ("runtime", "consumer", "exchange")
OPTIONS = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url")
QUIET = ("--quiet", "--no-header", "--no-annotate")


def lock(name: str, *extra: str) -> None:
    """Write `requirements/NAME.txt` from `NAME.in`."""
    target, source = HERE / f"{name}.txt", HERE / f"{name}.in"
    subprocess.run(["uv", "pip", "compile", *OPTIONS, *QUIET, *extra, source, "-o", target], check=True)


def main() -> None:
    """Lock the operator's environment, then the hosts' within it."""
    lock(ALL)
    for name in HOSTS:
        lock(name, "--constraint", str(HERE / f"{ALL}.txt"))


if __name__ == "__main__":
    sys.exit(main())
