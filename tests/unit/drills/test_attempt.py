"""The course of one fault: when it began, when it was over, and when all worked again."""

from pathlib import Path

import pytest

from himari.drills.attempt import attempt
from himari.drills.drill import Gaps
from himari.drills.field import FRAME, Field
from himari.drills.judge import Attempt
from himari.drills.units import Killed
from himari.stack.paths import StateDir
from tests.unit.drills.samples import Recorded, Remote, drill

FAR = "9" * 19  # a time of receipt that lies beyond every test


class Slow(Recorded):
    """A fault that is over at once, and after which nothing works for three looks."""

    def inject(self, field: Field) -> None:
        self.done.append("inject")

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


def test_a_killed_process_is_the_fault_until_another_is_there(field: Remote) -> None:
    fault = Killed("edge", "himari-collector.service", "KILL")
    field.answers["MainPID"] = "17"
    fault.inject(field)
    assert not fault.over(field)
    field.answers["MainPID"] = "0"
    assert not fault.over(field)
    field.answers["MainPID"] = "18"
    assert fault.over(field)
