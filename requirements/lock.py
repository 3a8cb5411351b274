"""Resolve `*.in` into locks that name no registry. Usage: make lock (needs `uv` and `mvn` on PATH).

`NAME.in` becomes the hash-locked `NAME.txt` of Python's packages, `NAME.maven.in` the `NAME.maven` of a tree."""

import subprocess
import sys
from pathlib import Path

from himari.apply.maven import resolve
from himari.stack.maven_lock import lock_text, read_coordinates

HERE = Path(__file__).parent
ALL = "dev"  # resolved first; the hosts' files are constrained by it, so that tests run what hosts run
HOSTS = ("runtime", "consumer", "exchange")
TREES = ("kafka", "neo4j")
OPTIONS = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url")
QUIET = ("--quiet", "--no-header", "--no-annotate")


def lock(name: str, *extra: str) -> None:
    """Write `requirements/NAME.txt` from `NAME.in`."""
    target, source = HERE / f"{name}.txt", HERE / f"{name}.in"
    subprocess.run(["uv", "pip", "compile", *OPTIONS, *QUIET, *extra, source, "-o", target], check=True)


def lock_tree(name: str) -> None:
    """Write `requirements/NAME.maven` from `NAME.maven.in`."""
    files = resolve(read_coordinates(HERE / f"{name}.maven.in"))
    (HERE / f"{name}.maven").write_text(lock_text(files))


def main() -> None:
    """Lock the operator's environment, then the hosts' within it, and the trees."""
    lock(ALL)
    for name in HOSTS:
        lock(name, "--constraint", str(HERE / f"{ALL}.txt"))
    for name in TREES:
        lock_tree(name)


if __name__ == "__main__":
    sys.exit(main())
