"""`rollback`: back to the user's consumer. It runs again before ours is stopped; nothing is flushed or removed.

Our consumer keeps its cursor, so that the next cutover goes on where it stood."""

from collections.abc import Iterator, Sequence

from himari.proof.probe import Runner
from himari.proof.remote import Remote
from himari.runs.consumers import OURS, Consumers
from himari.runs.cutover import CutoverReport
from himari.runs.halfway import refuse_half_destroyed
from himari.runs.progress import Listener, Report
from himari.runs.session import session
from himari.runs.steps import Outcome, Step
from himari.stack.cutover_note import CutoverNote, Stage
from himari.stack.errors import StackFileError
from himari.stack.known import read_known
from himari.stack.model import Stack
from himari.stack.paths import StateDir


class Returning:
    """A rollback on its way. Raises StackFileError where no cutover was begun."""

    def __init__(self, stack: Stack, run: Runner) -> None:
        self._sides = Consumers(stack, run)
        note = self._sides.note()
        if note is None:
            hint = f"himari status {stack.name} shows what runs"
            raise StackFileError("no cutover was begun, so there is none to roll back", stack.name, "", hint)
        self._note: CutoverNote = note

    def steps(self) -> Iterator[Step]:
        """All steps, in order."""
        yield Step(name="old consumer", work=self._old)
        yield Step(name="our consumer", work=self._ours, needs=("old consumer",))

    def _old(self, report: Report) -> Outcome:
        if self._note.stage is not Stage.BACK:
            self._write(Stage.RETURNING)
        before = self._sides.view(self._sides.old).runs
        self._sides.start(self._sides.old, enable=self._note.enabled)
        self._sides.require(self._sides.old, "the old consumer", "its journal on the brain says why; ours runs on")
        return Outcome(changed=() if before else (f"started {self._sides.old}",), says="runs")

    def _ours(self, report: Report) -> Outcome:
        views = {unit: self._sides.view(unit) for unit in OURS}
        stopped = tuple(unit for unit, seen in views.items() if seen.runs or seen.enabled == "enabled")
        if stopped:
            self._sides.stop(*stopped)
        if self._note.stage is not Stage.BACK:
            self._write(Stage.BACK)
        return Outcome(changed=tuple(f"stopped and disabled {unit}" for unit in stopped), says="stopped, cursor kept")

    def _write(self, stage: Stage) -> None:
        self._sides.write(stage, enabled=self._note.enabled, agreed=self._note.agreed)


def rollback(stack: Stack, argv: Sequence[str], listener: Listener) -> CutoverReport:
    """Put the old consumer back in charge. Raises LockedError, StackFileError, or StepError."""
    state = StateDir.of(stack.name)
    refuse_half_destroyed(state)
    remote = Remote(stack, read_known(state.hosts), state.ssh / "config")
    with session(state, argv, "", listener) as opened:
        done = opened.run(tuple(Returning(stack, remote).steps()))
        return CutoverReport(
            stack=stack.name,
            stage=Stage.BACK,
            in_charge=stack.cutover.unit,
            did=tuple(what for one in done for what in one.outcome.changed),
            seconds=opened.seconds,
        )
