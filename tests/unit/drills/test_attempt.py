"""The course of one fault: when it began, when it was over, and when all worked again."""

import time
from pathlib import Path
from typing import Any

import pytest

from himari.drills.attempt import attempt
from himari.drills.drill import Gaps
from himari.drills.field import FRAME, STORED, Field
from himari.drills.judge import Attempt
from himari.drills.units import Killed
from himari.stack.paths import StateDir
from tests.unit.drills.samples import Recorded, Remote, drill

FAR = "9" * 19  # a time of receipt that lies beyond every test


class Instant(Recorded):
    """A fault that can be made."""

    def inject(self, field: Field) -> None:
        self.done.append("inject")


class Slow(Instant):
    """A fault that is over at once, and after which nothing works for three looks."""

    def over(self, field: Field) -> bool:
        self.done.append("over")
        return True

    def restored(self, field: Field) -> bool:
        self.done.append("restored")
        return self.done.count("restored") > 3


@pytest.fixture
def field(tmp_path: Path) -> Remote:
    return Remote(StateDir(tmp_path), {"/metrics": f"{FRAME} {FAR}\n"})


def made(field: Field, fault: Recorded, lasts: float = 0.0) -> Attempt:
    return attempt(field, drill(fault=fault, lasts=lasts, gaps=Gaps.TIGHT), fault, lambda _: None)


@pytest.mark.parametrize("lasts", [0.0, 0.01])
def test_a_fault_is_over_when_it_is_lifted_however_long_the_system_then_takes(field: Remote, lasts: float) -> None:
    fault = Slow()
    one = made(field, fault, lasts)
    told = one.fault(0)
    lifted = ["lift"] if lasts else []
    assert one.marks.restored
    assert fault.done == ["inject", *lifted, "over", *["restored"] * 4]
    assert one.marks.lift
    assert one.marks.lift <= told.end_ns <= one.marks.lift + 0.1e9
    assert one.served_ns
    assert one.served_ns - told.end_ns >= 3 * 0.2e9


class Brain(Remote):
    """Three times the brain tells `at_first`, with the time a second from now; then all that it was waited for."""

    def __init__(self, state: StateDir, at_first: str) -> None:
        super().__init__(state, {})
        self.looks = 0
        self._at_first = at_first

    def inside(self, host: str, script: str) -> str:
        self.looks += "/metrics" in script
        if self.looks <= 3:
            return self._at_first.format(ahead=time.time_ns() + 1_000_000_000)
        return f"{FRAME} {FAR}\n{STORED} {FAR}\n"


@pytest.mark.parametrize(
    ("at_first", "changed"),
    [
        (f"{FRAME} {{ahead}}", {"ahead": 2.0}),
        (f"{FRAME} {FAR}\n{STORED} 5", {"stored": True}),
        (f"{FRAME} 5\n{STORED} {FAR}", {}),
    ],
    ids=["stamped ahead", "read but not stored", "stored, but long ago"],
)
def test_only_what_the_edge_received_after_the_fault_ends_the_wait(
    tmp_path: Path, at_first: str, changed: dict[str, Any]
) -> None:
    brain, fault = Brain(StateDir(tmp_path), at_first), Instant()
    one = attempt(brain, drill(fault=fault, **changed), fault, lambda _: None)
    assert one.marks.restored is not None
    assert brain.looks == 4


def test_a_killed_process_is_the_fault_until_another_is_there(field: Remote) -> None:
    fault = Killed("edge", "himari-collector.service", "KILL")
    field.answers["MainPID"] = "17"
    fault.inject(field)
    assert not fault.over(field)
    field.answers["MainPID"] = "0"
    assert not fault.over(field)
    field.answers["MainPID"] = "18"
    assert fault.over(field)
