"""A run: named steps that need one another, each safe to repeat, with their state in the run's journal."""

import time
from collections.abc import Callable, Iterable, Sequence

import msgspec

from himari.runs import journal
from himari.runs.journal import Finished, Journal, Line, Said, Started
from himari.runs.progress import Narrator, Phase, Report
from himari.stack.errors import HimariError


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a step did: what it changed (none when everything was in place), and a few words for the table.

    `red` when it came to its end and what it found is bad."""

    changed: tuple[str, ...] = ()
    says: str = ""
    red: bool = False


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a run. `work` looks first and does what is missing, so it may be repeated at any time."""

    name: str
    work: Callable[[Report], Outcome]
    needs: tuple[str, ...] = ()
    replay: str = ""  # the command that does this step alone


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """A step that came to its end: what it did and how long it took, in seconds."""

    step: str
    outcome: Outcome
    seconds: float


class StepError(Exception):
    """A step failed. `done` are the steps before it; the cause is the failure itself."""

    def __init__(self, step: Step, done: Sequence[Done]) -> None:
        super().__init__(step.name)
        self.step = step
        self.done = tuple(done)


def run_steps(steps: Sequence[Step], record: Journal, narrator: Narrator) -> tuple[Done, ...]:
    """Do `steps` in order. Raises StepError, from what went wrong, at the first one that fails."""
    check_order(steps)
    done: list[Done] = []
    for step in steps:
        try:
            done.append(_do(step, record, narrator))
        except (Exception, KeyboardInterrupt) as error:
            raise StepError(step, done) from error
    return tuple(done)


def check_order(steps: Iterable[Step]) -> None:
    """Raise ValueError when a step comes before one that it needs."""
    seen: set[str] = set()
    for step in steps:
        if missing := set(step.needs) - seen:
            raise ValueError(f"step {step.name} needs {', '.join(sorted(missing))} before it")
        seen.add(step.name)


def stopped_at(lines: Sequence[Line], inputs: str) -> str:
    """Where the run in `lines` was red, failed or was cut off; empty when it ended well or had other `inputs`."""
    opened = lines[0] if lines else None
    if not isinstance(opened, journal.Opened) or opened.inputs != inputs:
        return ""
    return "" if journal.ended_well(lines) else journal.stood_at(lines)


def _do(step: Step, record: Journal, narrator: Narrator) -> Done:
    started = time.monotonic()
    record.append(Started(at=journal.now(), step=step.name))
    narrator.emit(step.name, "", "", 0.0, Phase.STARTED)
    try:
        outcome = step.work(_reporter(step.name, record, narrator))
    except (Exception, KeyboardInterrupt) as error:
        _note_failure(step.name, error, time.monotonic() - started, record, narrator)
        raise
    seconds = time.monotonic() - started
    bad, took = outcome.says if outcome.red else "", round(seconds, 3)
    record.append(Finished(at=journal.now(), step=step.name, seconds=took, changed=outcome.changed, error=bad))
    narrator.emit(step.name, "", outcome.says, seconds, Phase.RED if outcome.red else Phase.GREEN)
    return Done(step=step.name, outcome=outcome, seconds=seconds)


def _note_failure(step: str, error: BaseException, seconds: float, record: Journal, narrator: Narrator) -> None:
    what = error.what if isinstance(error, HimariError) else str(error) or type(error).__name__
    what = "stopped" if isinstance(error, KeyboardInterrupt) else what
    where = error.where if isinstance(error, HimariError) else ""
    record.append(Finished(at=journal.now(), step=step, seconds=round(seconds, 3), host=where, error=what))
    narrator.emit(step, "", what, seconds, Phase.FAILED)


def _reporter(step: str, record: Journal, narrator: Narrator) -> Report:
    pass_on = narrator.reporter(step)

    def report(host: str, says: str) -> None:
        record.append(Said(at=journal.now(), step=step, host=host, says=says))
        pass_on(host, says)

    return report
