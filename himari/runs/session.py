"""A verb that changes a stack: it holds the stack's lock and keeps a journal, whatever way it ends."""

import os
import shlex
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from himari.runs.journal import Closed, Journal, Opened, last_journal, now
from himari.runs.lock import hold
from himari.runs.progress import Listener, Narrator
from himari.runs.refusal import refusal
from himari.runs.steps import Done, Step, StepError, run_steps, stopped_at
from himari.stack.errors import FAULT, INTERRUPTED, HimariError, ProofFailed
from himari.stack.paths import StateDir

GOES_ON = "the last run stopped or was red here; what it has done is not done again"


class Session(msgspec.Struct, kw_only=True):
    """An open run. `resumes_at` is the step at which the last run with the same inputs stopped, if it did.

    `exit_code` is that of a run which comes to its end: a red step sets it, and so may the block."""

    journal: Journal
    narrator: Narrator
    resumes_at: str
    began: float  # time.monotonic()
    exit_code: int = 0

    def run(self, steps: Sequence[Step]) -> tuple[Done, ...]:
        """Do `steps`; raises StepError."""
        if self.resumes_at in {step.name for step in steps[1:]}:  # before the first step nothing had been done
            self.narrator.emit(self.resumes_at, "", GOES_ON, 0.0)
        done = run_steps(steps, self.journal, self.narrator)
        if any(one.outcome.red for one in done):
            self.exit_code = ProofFailed.exit_code
        return done

    @property
    def seconds(self) -> float:
        return round(time.monotonic() - self.began, 1)


@contextmanager
def session(state: StateDir, argv: Sequence[str], inputs: str, listener: Listener) -> Iterator[Session]:
    """Hold the stack for the block. `argv` is (himari, verb, ...); `inputs` a digest of what decides the outcome.

    Raises LockedError when another run has the stack."""
    verb, began = argv[1], time.monotonic()
    with hold(state.lock, argv):
        resumes_at = stopped_at(last_journal(state.runs, verb), inputs)
        with Journal.create(state.runs, verb) as journal:
            command = shlex.join(argv)
            journal.append(Opened(at=now(), verb=verb, command=command, pid=os.getpid(), inputs=inputs))
            opened = Session(journal=journal, narrator=Narrator(listener), resumes_at=resumes_at, began=began)
            try:
                yield opened
            except BaseException as error:
                opened.exit_code = exit_code(error)
                raise
            finally:
                journal.append(Closed(at=now(), seconds=opened.seconds, exit_code=opened.exit_code))


def exit_code(error: BaseException) -> int:
    """The exit code that `error`, or what stopped the step, stands for."""
    if isinstance(error, StepError) and error.__cause__ is not None:
        return exit_code(error.__cause__)
    told = refusal(error) or error
    if isinstance(told, HimariError):
        return told.exit_code
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else FAULT
