"""`himari up` killed where chance has it, and begun again: on a second lab of the same stack, made for it."""

import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

from himari.drills.drill import Drill, Gaps, Quiet
from himari.drills.field import Field
from himari.lab import lab
from himari.runs.journal import Started, last_journal
from himari.stack.errors import MachineError
from himari.stack.paths import StateDir

COMMAND = (sys.executable, "-m", "himari.cli.main")
SOONEST, LATEST = 0.5, 25.0  # seconds into a run
UP_SECONDS = 900
SILENT: Any = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


class UpKilled(Quiet):
    """`points` runs of `up` from nothing, each killed (kill -9), then one that is left to itself."""

    def __init__(self, chance: Random, points: int) -> None:
        self._moments = [round(chance.uniform(SOONEST, LATEST), 2) for _ in range(points)]
        self._stopped: list[str] = []
        self._ended: int | None = None

    def inject(self, field: Field) -> None:
        for moment in self._moments:
            running = subprocess.Popen(_up(field), env=_environment(field), **SILENT)
            try:
                running.wait(moment)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()
            self._stopped.append(f"{_step(field)} ({moment} s)")

    def seen(self, field: Field) -> str:
        return f"killed at {', '.join(self._stopped)}"

    def restored(self, field: Field) -> bool:
        if self._ended is None:
            done = subprocess.run(_up(field), env=_environment(field), check=False, timeout=UP_SECONDS, **SILENT)
            self._ended = done.returncode
        return self._ended == 0

    def heal(self, field: Field) -> None:
        where = _second(field)
        if not where.path.exists():
            return
        destroy = (*COMMAND, "destroy", field.stack.name, "--yes")
        subprocess.run(destroy, env=_environment(field), check=False, timeout=UP_SECONDS, **SILENT)
        if left := lab.remains(field.stack.name, where):
            raise MachineError(f"the second lab is not gone: {left[0]}", str(where.path), "nothing left")


def _second(field: Field) -> StateDir:
    return StateDir(_root(field) / field.stack.name)


def _root(field: Field) -> Path:
    return field.state.path / "second"


def _environment(field: Field) -> dict[str, str]:
    return os.environ | {"HIMARI_STATE": str(_root(field))}


def _up(field: Field) -> tuple[str, ...]:
    return (*COMMAND, "up", field.stack.name)


def _step(field: Field) -> str:
    """The step that the last run was in."""
    lines = last_journal(_second(field).runs, "up")
    return next((line.step for line in reversed(lines) if isinstance(line, Started)), "its beginning")


DRILLS = (
    Drill(
        name="up-killed",
        says="`himari up` of a second lab is killed (kill -9) at ten moments by chance",
        deadline="the next `up` ends green within 10 minutes, and this lab misses nothing",
        within=600,
        sees="each run stopped at a step",
        gaps=Gaps.NONE,
        takes=420,
        fault=lambda chance: UpKilled(chance, points=10),
    ),
)
