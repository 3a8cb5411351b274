"""A drill as a value: what is broken, what must be seen meanwhile, how soon all is well again, and what may be lost."""

from collections.abc import Callable
from enum import StrEnum
from random import Random
from typing import Protocol

import msgspec

from himari.drills.field import Field


class Gaps(StrEnum):
    """What a drill may cost: `tight` gaps last no longer than the fault and 5 s, and claim only what is missing."""

    NONE = "none"
    TIGHT = "tight"


class Fault(Protocol):
    """What is done to the hosts. Whatever is not remembered can be healed: `heal` needs nothing that `inject` noted."""

    def prepare(self, field: Field) -> None:
        """What has to stand before the window opens, such as a package; its own gaps are no part of the proof."""

    def inject(self, field: Field) -> None:
        """Break it; returns once it is broken."""

    def seen(self, field: Field) -> str:
        """What the system shows of it, in its own words; empty as long as it shows nothing."""

    def lift(self, field: Field) -> None:
        """End the fault, where it does not end by itself."""

    def over(self, field: Field) -> bool:
        """Whether the fault has ended, once lifted: a process that was killed is there again, so that it can begin."""

    def restored(self, field: Field) -> bool:
        """Whether what was broken works again."""

    def spared(self, field: Field) -> bool:
        """Whether chance spared what a gap comes from: nothing may be missed then, whatever the drill allows."""

    def heal(self, field: Field) -> None:
        """Put everything back, whatever was reached; may be called at any time, also for a fault that never was."""


class Drill(msgspec.Struct, frozen=True, kw_only=True):
    """One drill; times in seconds. `deadline` is `within`, in words."""

    name: str
    says: str  # what is done, one sentence
    deadline: str
    within: float  # from the end of the fault until new data is on the brain again, or stored there
    sees: str  # what must be seen meanwhile
    gaps: Gaps
    takes: float  # about, alone, on a quiet machine
    fault: Callable[[Random], Fault]
    lasts: float = 0.0  # how long the fault is held
    stored: bool = False  # new data must lie in the brain's Parquet files; it is not enough that the brain has read it
    ahead: float = 0.0  # how far the fault's own stamps run ahead: only data stamped later is known to be younger
    seen_within: float = 30.0
    together: bool = False  # whether it may share a window with others
    not_covered: str = ""  # what a container cannot show of it, and why


class Quiet:
    """The parts of a fault that most faults have nothing to do for."""

    def prepare(self, field: Field) -> None: ...

    def lift(self, field: Field) -> None: ...

    def over(self, field: Field) -> bool:
        return True

    def spared(self, field: Field) -> bool:
        return False

    def heal(self, field: Field) -> None:
        self.lift(field)
