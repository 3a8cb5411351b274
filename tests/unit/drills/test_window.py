"""Whatever happens in a window, what was broken is healed, by this run or by the next."""

import signal
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from himari.drills.field import Field
from himari.drills.known import DRILLS
from himari.drills.run import left_steps
from himari.drills.window import NOTE, Planned, drilled, healed, left_behind, planned
from himari.proof.evidence import Status
from himari.stack.errors import HostError, StackFileError
from himari.stack.load import load_stack
from himari.stack.paths import StateDir
from tests.unit.drills.samples import Recorded, drill


@pytest.fixture
def field(tmp_path: Path) -> Field:
    return Field(load_stack("lab-edge"), StateDir(tmp_path))


def test_an_interrupted_drill_heals(field: Field) -> None:
    one, two = Recorded(), Recorded()
    with pytest.raises(KeyboardInterrupt), healed(field, [Planned(drill(), one), Planned(drill("two"), two)]):
        signal.raise_signal(signal.SIGINT)
    assert one.done == two.done == ["heal"]
    assert not (field.state.path / NOTE).exists()


def test_one_fault_that_resists_keeps_no_other_from_being_healed(field: Field) -> None:
    other, stubborn = Recorded(), Recorded(resists=True)
    plans = [Planned(drill(), other), Planned(drill("two"), stubborn)]
    with pytest.raises(HostError, match="resists"), healed(field, plans):
        pass
    assert other.done == ["heal"]
    assert (field.state.path / NOTE).exists()  # so that the next run tries again


def test_what_a_killed_run_has_left_is_healed_by_the_next(field: Field) -> None:
    left, other = Recorded(), Recorded()
    (field.state.path / NOTE).write_bytes(msgspec.json.encode(["left"]))
    assert left_behind(field, [drill("left", left), drill("other", other)]) == ["left"]
    assert (left.done, other.done) == (["heal"], [])
    assert left_behind(field, [drill("left", left)]) == []


def test_an_up_after_a_killed_drill_begins_by_healing_and_goes_on_where_that_fails(field: Field) -> None:
    assert left_steps(field.stack, field.state) == ()
    (field.state.path / NOTE).write_bytes(msgspec.json.encode(["clock"]))
    (step,) = left_steps(field.stack, field.state)  # of a lab that is not there
    assert step.name == "heal"
    assert "what a killed drill left is not healed" in step.work(lambda host, says: None).says
    assert (field.state.path / NOTE).exists()


def test_a_drill_that_cannot_be_begun_is_missed_and_healed(field: Field) -> None:
    def unreachable(host: str, argv: Sequence[str]) -> bytes:
        raise HostError("is off", host)

    fault = Recorded()
    (record,) = drilled(field, unreachable, [drill(fault=fault)], 3, lambda _: None).records
    assert record.status is Status.FAILED
    assert "it was not begun: edge: is off" in record.reason
    assert fault.done == ["prepare", "heal"]


def test_a_fault_that_cannot_be_made_is_told(field: Field) -> None:
    from himari.drills.attempt import attempt

    fault = Recorded()
    made = attempt(field, drill(fault=fault), fault, lambda _: None)
    assert made.trouble == "edge: does not break"
    assert (made.marks.lift, made.recovery_seconds) == (None, None)


def test_a_seed_breaks_the_same_things_whichever_drills_run_beside_it() -> None:
    named = {made.name: made for made in DRILLS}
    alone = planned([named["up-killed"]], 12)[0].fault
    beside = planned([named["line-cut"], named["up-killed"]], 12)[1].fault
    other = planned([named["up-killed"]], 13)[0].fault
    assert vars(alone) == vars(beside)
    assert vars(alone) != vars(other)


def test_drills_break_no_stack_but_a_lab(tmp_path: Path) -> None:
    with pytest.raises(StackFileError, match="this stack's are no lab's"):
        Field(load_stack("vps-brain"), StateDir(tmp_path))
