"""Whatever happens in a window, what was broken is healed, by this run or by the next."""

import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from himari.drills.field import Field
from himari.drills.known import DRILLS
from himari.drills.run import left_steps
from himari.drills.window import NOTE, Planned, drilled, healed, left_behind, planned
from himari.proof.evidence import Status
from himari.proof.page import render_page
from himari.proof.timeline import window_timeline
from himari.stack.errors import HostError, StackFileError
from himari.stack.load import load_stack
from himari.stack.paths import StateDir
from tests.unit.drills.market import ARRIVED, HOLE, Market, window_of_a_cut
from tests.unit.drills.samples import Recorded, Remote, drill
from tests.unit.proof.samples import proven


@pytest.fixture
def field(tmp_path: Path) -> Field:
    return Field(load_stack("lab-edge"), StateDir(tmp_path))


def unreachable(host: str, argv: Sequence[str]) -> bytes:
    raise HostError("is off", host)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C raises, whatever this process was started with: whoever starts it in the background may ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupted_drill_heals(field: Field, interruptible: None) -> None:
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
    fault = Recorded()
    (record,) = drilled(field, unreachable, [drill(fault=fault)], 3, lambda _: None).records
    assert record.status is Status.FAILED
    assert "it was not begun: edge: is off" in record.reason
    assert fault.done == ["prepare", "heal"]


def test_a_judged_window_keeps_its_account_and_its_course(tmp_path: Path) -> None:
    judged = window_of_a_cut(StateDir(tmp_path))
    (record,), window = judged.records, judged.window
    assert (record.status, record.gaps, record.reason) == (Status.PASSED, 1, "")
    assert window
    assert window.holds(record)
    ledger, course = window.ledger, window.course
    assert (ledger.sent - ledger.stored, ledger.events_in_gaps, ledger.lost, ledger.invented) == (HOLE, HOLE, 0, 0)
    assert course
    assert [fault.row for fault in course.faults] == ["lines-cut"]
    assert [line.row for line in course.lines] == ["line 1", "line 2"]
    assert [gap.row for gap in course.gaps] == ["gap in trade BTC/USDT"]


def test_the_page_draws_a_judged_window_with_its_fault_its_recovery_and_its_gap(tmp_path: Path) -> None:
    judged = window_of_a_cut(StateDir(tmp_path))
    assert judged.window
    drawn = window_timeline(judged.window.course, judged.records)
    assert drawn
    bars = {row.name: [bar.kind for bar in row.bars] for row in drawn.rows}
    assert bars == {"lines-cut": ["bad", "step"], "line 1": ["up"], "line 2": ["up"], "gap in trade BTC/USDT": ["gap"]}
    fault, recovery = drawn.rows[0].bars
    assert 15 < fault.left < recovery.left < 30  # 5 s of the window were before it, 20 s came behind it
    page = render_page(proven(drills=judged.records, windows=[judged.window]))
    section = page[page.index('id="drills"') : page.index('id="made-on"')]
    assert "lines-cut, seed 7" in section
    assert drawn.rows[0].says in section
    assert [section.count(title) for title in ("Events a second", "From sent until journaled")] == [2, 2]


class Unprepared(Recorded):
    """A fault for which nothing can be made ready, and that resists when it is to be healed."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(resists=True)
        self._error = error

    def prepare(self, field: Field) -> None:
        raise self._error


def test_what_resists_is_told_by_its_own_drill_and_stays_noted_until_a_run_heals_it(field: Field) -> None:
    stubborn = drill("stubborn", Unprepared(HostError("is full", "edge")))
    (record,) = drilled(field, unreachable, [stubborn], 3, lambda _: None).records
    assert record.status is Status.FAILED
    assert "what was broken resists healing: edge: resists" in record.reason
    with healed(field, [Planned(drill("after"), Recorded())]):
        pass
    assert left_behind(field, [drill("stubborn"), drill("after")]) == ["stubborn"]
    assert not (field.state.path / NOTE).exists()


def test_drills_behind_one_that_resists_in_their_window_have_their_records_too(field: Field) -> None:
    remote = Remote(field.state, ARRIVED)
    drills = [drill("first", Recorded(resists=True)), drill("second", Recorded())]
    records = drilled(remote, Market(), drills, 3, lambda _: None).records
    assert [record.name for record in records] == ["first", "second"]
    assert "it was not begun: edge: resists" in records[1].reason


def test_an_interrupted_drill_that_resists_goes_on_with_no_other(field: Field) -> None:
    with pytest.raises(HostError, match="resists"):
        drilled(field, unreachable, [drill(fault=Unprepared(KeyboardInterrupt()))], 3, lambda _: None)


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
