"""How long an `up` will take, judged by those that this machine has seen."""

from collections.abc import Iterator, Sequence

import msgspec

from himari.catalog.component import View
from himari.catalog.host import components
from himari.runs.create import CREATE
from himari.runs.journal import Closed, Finished, Line, ended_well, read_journal
from himari.stack.errors import HimariError
from himari.stack.load import load_stack
from himari.stack.model import Stack
from himari.stack.paths import StateDir, state_root


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A duration, and what it is judged by."""

    seconds: float
    judged_by: str

    def __str__(self) -> str:
        return f"about {_rounded(self.seconds)}, judged by {self.judged_by}"


def estimate(stack: Stack, *, makes: bool) -> Estimate | None:
    """How long an `up` of `stack` will take, one that `makes` hosts or one that finds them; None when none was seen.

    What another stack's took counts by its components: they are what takes time."""
    own = _newest(StateDir.of(stack.name), makes=makes)
    if own is not None:
        return Estimate(seconds=own, judged_by="the last time")
    for other in _others(stack):
        seen = _newest(StateDir.of(other.name), makes=makes)
        if seen is not None:
            factor = _size(stack) / _size(other)
            return Estimate(seconds=seen * factor, judged_by=f"what {other.name} took and how much more there is")
    return None


def _newest(state: StateDir, *, makes: bool) -> float | None:
    """Seconds that the newest `up` of that kind took which ended well."""
    for path in sorted(state.runs.glob("*-up.jsonl"), reverse=True):
        lines = read_journal(path)
        if ended_well(lines) and _made(lines) is makes:
            return next((line.seconds for line in lines if isinstance(line, Closed)), None)
    return None


def _made(lines: Sequence[Line]) -> bool:
    return any(isinstance(line, Finished) and line.step == CREATE and line.changed for line in lines)


def _others(stack: Stack) -> Iterator[Stack]:
    """The other stacks that this machine has had, as far as their files are still there."""
    for folder in sorted(state_root().glob("*/runs")):
        if folder.parent.name != stack.name:
            try:
                yield load_stack(folder.parent.name)
            except HimariError:
                continue


def _size(stack: Stack) -> int:
    return sum(len(components(View(stack=stack, host_name=name))) for name in stack.hosts)


def _rounded(seconds: float) -> str:
    return f"{round(seconds / 10) * 10 or 10} s" if seconds < 100 else f"{seconds / 60:.0f} min"
