"""`himari up` killed where chance has it, and begun again: on a second lab of the same stack, made for it."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

from himari.drills.drill import Drill, Gaps, Quiet
from himari.drills.field import Field
from himari.lab import lab
from himari.runs.journal import Started, last_journal, stood_at
from himari.stack.errors import MachineError
from himari.stack.paths import StateDir

COMMAND = (sys.executable, "-m", "himari.cli.main")
MOMENTS = (0.5, 25.0)  # the soonest and the latest, seconds into a run
TRIES = 2  # for each kill: a run may come to its end before
UP_SECONDS = 900
SILENT: Any = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


class UpKilled(Quiet):
    """`up` from nothing, killed (kill -9) at `points` moments while it runs, then once left to itself."""

    def __init__(
        self,
        chance: Random,
        points: int,
        command: tuple[str, ...] = COMMAND,
        moments: tuple[float, float] = MOMENTS,
        patience: float = UP_SECONDS,
    ) -> None:
        self._moments = [round(chance.uniform(*moments), 2) for _ in range(TRIES * points)]
        self._points, self._command, self._patience = points, command, patience
        self._killed: list[str] = []

    def inject(self, field: Field) -> None:
        """Raises MachineError when fewer runs than that could be killed: one that ended by itself does not count."""
        ends = []
        for moment in self._moments:
            if len(self._killed) == self._points:
                return
            ends.append(code := self._run_until(field, moment))
            if code == -signal.SIGKILL:
                self._killed.append(f"{_step(field)} ({moment} s)")
        if len(self._killed) < self._points:
            by_itself = ", ".join(str(code) for code in ends if code != -signal.SIGKILL)
            raise MachineError(
                f"{len(self._killed)} runs of {len(ends)} were alive at their kill, the others ended with {by_itself}",
                str(_second(field).path),
                f"{self._points} kills",
            )

    def seen(self, field: Field) -> str:
        return f"killed {len(self._killed)} times: at {', '.join(self._killed)}" if self._killed else ""

    def restored(self, field: Field) -> bool:
        """Raises MachineError when the run that is left to itself is red, or does not end: waiting mends neither."""
        if code := self._to_its_end(field, self._up(field)):
            stopped = stood_at(last_journal(_second(field).runs, "up")) or "its beginning"
            what = f"the `up` after the kills ended with {code}, at {stopped}"
            raise MachineError(what, str(_second(field).path), "a green run")
        return True

    def _run_until(self, field: Field, moment: float) -> int:
        """How a run ended that is killed at `moment`, or ended by itself before."""
        running = subprocess.Popen(self._up(field), env=_environment(field), **SILENT)
        try:
            return running.wait(moment)
        except subprocess.TimeoutExpired:
            running.kill()
            return running.wait()

    def _to_its_end(self, field: Field, argv: tuple[str, ...]) -> int:
        """How a run ends by itself. Raises MachineError when it does not within the patience that it has."""
        environment = _environment(field)
        try:
            done = subprocess.run(argv, env=environment, check=False, timeout=self._patience, **SILENT)
        except subprocess.TimeoutExpired:
            verb = argv[len(self._command)]
            where = str(_second(field).path)
            raise MachineError(f"`himari {verb}` did not end within {self._patience:g} s", where, "its end") from None
        return done.returncode

    def _up(self, field: Field) -> tuple[str, ...]:
        return (*self._command, "up", field.stack.name)

    def heal(self, field: Field) -> None:
        """Raises MachineError when something of the second lab is left, or its `destroy` does not end."""
        where = _second(field)
        if not where.path.exists():
            return
        self._to_its_end(field, (*self._command, "destroy", field.stack.name, "--yes"))
        if left := lab.remains(field.stack.name, where):
            raise MachineError(f"the second lab is not gone: {left[0]}", str(where.path), "nothing left")


def _second(field: Field) -> StateDir:
    return StateDir(_root(field) / field.stack.name)


def _root(field: Field) -> Path:
    return field.state.path / "second"


def _environment(field: Field) -> dict[str, str]:
    return os.environ | {"HIMARI_STATE": str(_root(field))}


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
        sees="ten runs were alive when they were killed, each at a step",
        gaps=Gaps.NONE,
        takes=420,
        fault=lambda chance: UpKilled(chance, points=10),
    ),
)
