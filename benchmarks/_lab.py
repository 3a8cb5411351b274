"""A lab for the benchmarks that need hosts: the one that is up here, else one of their own, destroyed afterwards."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from himari.lab.lab import exec_argv
from himari.runs.report import UpReport
from himari.stack.errors import HostError
from himari.stack.paths import PROJECT, StateDir, state_root

STACK = "lab-edge"
HIMARI = PROJECT / ".venv" / "bin" / "himari"


class BenchLab(msgspec.Struct, frozen=True):
    """The stack `lab-edge` below one state folder; `environment` is added to that of its commands."""

    root: Path
    environment: Mapping[str, str] = {}

    @property
    def state(self) -> StateDir:
        return StateDir(self.root / STACK)

    def himari(self, *arguments: str) -> str:
        """Standard output of the command; raises RuntimeError with what it said where it fails."""
        environment = {**os.environ, "HIMARI_STATE": str(self.root), **self.environment}
        return _run((HIMARI, *arguments), environment=environment).decode()

    def up(self) -> UpReport:
        """`himari up`, which must end green."""
        return msgspec.json.decode(self.himari("up", STACK, "--json"), type=UpReport)

    def inside(self, host: str, command: str, stdin: bytes = b"") -> str:
        """Standard output of a shell command that root runs on a host, without ssh."""
        return _run(exec_argv(STACK, host, ("sh", "-ec", command), self.state), stdin).decode()


@contextmanager
def own_lab(**environment: str) -> Iterator[BenchLab]:
    """A lab in a temporary folder, not yet up; nothing of it is left afterwards."""
    with tempfile.TemporaryDirectory(prefix="himari-bench-") as root:
        lab = BenchLab(Path(root), environment)
        try:
            yield lab
        finally:
            lab.himari("destroy", STACK, "--yes")


@contextmanager
def any_lab() -> Iterator[BenchLab]:
    """A lab that is up with this code."""
    here = BenchLab(state_root())
    try:
        here.inside("edge", "true")
    except (HostError, RuntimeError):
        with own_lab() as lab:
            lab.up()
            yield lab
    else:
        yield here


def _run(argv: tuple[str | Path, ...], stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> bytes:
    done = subprocess.run(argv, input=stdin, capture_output=True, check=False, env=environment)
    if done.returncode:
        raise RuntimeError(f"{argv[-1]}: exit {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout
