"""`cutover`: from the user's consumer to ours. Both run until they hold the same; then the old one is stopped.

Each step looks first, so a cutover that was interrupted is gone on with by the same command."""

import time
from collections.abc import Callable, Iterator, Sequence

import msgspec

from himari.apply.feed import read_feed
from himari.lab import lab
from himari.proof.baseline import BASELINE, read_baseline
from himari.proof.evidence import Check, Status
from himari.proof.probe import Runner
from himari.proof.remote import Remote
from himari.proof.subject import Subject
from himari.proof.validate import run_checks
from himari.runs.agreement import Counting, await_agreement
from himari.runs.consumers import OURS, Consumers
from himari.runs.halfway import refuse_half_destroyed
from himari.runs.progress import Listener, Report
from himari.runs.session import session
from himari.runs.steps import Outcome, Step
from himari.stack.cutover_note import Stage
from himari.stack.errors import HostError, ProofFailed
from himari.stack.known import read_known
from himari.stack.model import Stack
from himari.stack.paths import StateDir

CAUGHT_UP_S = 900.0  # a brain that was away for a day fetches segments at what live data leaves of the link
POLL_S = 1.0


class CutoverReport(msgspec.Struct, frozen=True, kw_only=True):
    """How a cutover or a rollback ended: which consumer is in charge, and what was done for it."""

    stack: str
    stage: Stage
    in_charge: str
    did: tuple[str, ...]
    seconds: float
    checks: tuple[Check, ...] = ()  # that failed without stopping it


class Cutting:
    """A cutover on its way."""

    def __init__(self, stack: Stack, run: Runner, checks: Callable[[Report], list[Check]]) -> None:
        self.sides = Consumers(stack, run)
        self.stack, self._run, self._checks = stack, run, checks
        self._counting = Counting(stack, run, self.sides.brain)
        note = self.sides.note()
        # What was agreed on and begun is ended, whether or not the old one still runs.
        agreed_on = note is not None and note.stage in (Stage.SWITCHING, Stage.OVER)
        self.switching = agreed_on and note is not None and note.unit == self.sides.old
        self._enabled = True
        self.warnings: tuple[Check, ...] = ()

    def steps(self) -> Iterator[Step]:
        """All steps, in order."""
        if not self.switching:
            yield Step(name="old consumer", work=self._old)
            yield Step(name="our consumer", work=self._ours, needs=("old consumer",))
            replay = f"himari validate {self.stack.name}"
            yield Step(name="checks", work=self._check, needs=("our consumer",), replay=replay)
            yield Step(name="agreement", work=self._agree, needs=("checks",))
        yield Step(name="switch", work=self._switch)

    def _old(self, report: Report) -> Outcome:
        name = self.stack.name
        hint = f"start it on the brain; once it is not wanted any more, remove [cutover] from the file of {name}"
        seen = self.sides.require(self.sides.old, "the existing consumer", hint)
        now = self._counting.now()
        self._counting.old(now, now)  # a command that cannot count is refused before anything changes
        self._enabled = seen.enabled == "enabled"
        self.sides.write(Stage.SIDE_BY_SIDE, enabled=self._enabled)
        return Outcome(says=f"{self.sides.old} runs and can be counted")

    def _ours(self, report: Report) -> Outcome:
        started = tuple(unit for unit in OURS if not self.sides.view(unit).runs)
        self.sides.start(*OURS)
        deadline, began = time.monotonic() + CAUGHT_UP_S, self._counting.now()
        while not self._counting.ours_stored(began):
            report(self.sides.brain, f"catches up; {max(0.0, deadline - time.monotonic()):.0f} s left")
            if time.monotonic() > deadline:
                hint = f"himari status {self.stack.name} shows where the data stands"
                raise HostError(f"our consumer did not catch up in {CAUGHT_UP_S:.0f} s", self.sides.brain, "", hint)
            time.sleep(POLL_S)
        return Outcome(changed=started, says="stores what comes now")

    def _check(self, report: Report) -> Outcome:
        failed = [check for check in self._checks(report) if check.status is Status.FAILED]
        stopping = [check for check in failed if check.stops]
        if stopping:
            named = "; ".join(f"{check.host}: {check.id}: {check.reason}" for check in stopping[:5])
            hint = f"mend it and repeat himari cutover {self.stack.name}; the old consumer runs on"
            raise ProofFailed(f"{len(stopping)} critical checks failed: {named}", self.stack.name, "none", hint)
        self.warnings = tuple(failed)
        return Outcome(says=f"none is red, {len(failed)} warn")

    def _agree(self, report: Report) -> Outcome:
        brain = self.sides.brain
        counts = await_agreement(self._counting, self.stack.cutover, self.stack.name, brain, report)
        # The old one is asked once more: what has just stopped by itself has not agreed.
        self.sides.require(self.sides.old, "the existing consumer", "its journal on the brain says why")
        says = "; ".join(map(str, counts))
        self.sides.write(Stage.SWITCHING, enabled=self._enabled, agreed=says)
        return Outcome(says=says)

    def _switch(self, report: Report) -> Outcome:
        note = self.sides.note()
        if note is None:
            raise RuntimeError("the switch came before the note of its agreement")
        ours = tuple(unit for unit in OURS if not self.sides.view(unit).runs)
        self.sides.start(*OURS)
        old = self.sides.view(self.sides.old)
        stopped = (self.sides.old,) if old.runs or old.enabled == "enabled" else ()
        if stopped:
            self.sides.stop(*stopped)
        if note.stage is not Stage.OVER:
            self.sides.write(Stage.OVER, enabled=note.enabled, agreed=note.agreed)
        changed = (*(f"started {unit}" for unit in ours), *(f"stopped and disabled {unit}" for unit in stopped))
        return Outcome(changed=changed, says=", ".join(changed) or "was done before")


def cutover(stack: Stack, argv: Sequence[str], listener: Listener) -> CutoverReport:
    """Let our consumer take over. Raises LockedError, StackFileError, or StepError from the failure of a step."""
    state = StateDir.of(stack.name)
    refuse_half_destroyed(state)
    remote = Remote(stack, read_known(state.hosts), state.ssh / "config")

    def checks(report: Report) -> list[Check]:
        report("", "checks: reading every host")
        return pre_cutover_checks(stack, state, remote)

    with session(state, argv, "", listener) as opened:
        cutting = Cutting(stack, remote, checks)
        done = opened.run(tuple(cutting.steps()))
        return CutoverReport(
            stack=stack.name,
            stage=Stage.OVER,
            in_charge=OURS[0],
            did=tuple(what for one in done for what in one.outcome.changed),
            seconds=opened.seconds,
            checks=cutting.warnings,
        )


def pre_cutover_checks(stack: Stack, state: StateDir, remote: Remote) -> list[Check]:
    """All checks of all days, with their severities and the guide's steps that they replace."""
    outside = lab.outside_argv(stack.name, ()) if stack.is_lab else None
    baseline = read_baseline(state.path / BASELINE)
    known, feed = read_known(state.hosts), read_feed(state)
    subject = Subject(stack, known, remote, outside=outside, feed=feed, baseline=baseline)
    return run_checks(subject, state.path / "cutover.log")
