from pathlib import Path

import pytest

from himari.runs.estimate import Estimate, estimate
from himari.runs.journal import Closed, Finished, Journal, now
from himari.stack.load import load_stack
from himari.stack.paths import StateDir

LAB, EDGE = load_stack("lab"), load_stack("lab-edge")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HIMARI_STATE", str(tmp_path))
    return tmp_path


def took(stack_name: str, seconds: float, *, changed: tuple[str, ...] = ("edge: made",), exit_code: int = 0) -> None:
    with Journal.create(StateDir.of(stack_name).runs, "up") as journal:
        journal.append(Finished(at=now(), step="create", seconds=1.0, changed=changed))
        journal.append(Closed(at=now(), seconds=seconds, exit_code=exit_code))


def test_a_machine_that_has_seen_nothing_promises_nothing() -> None:
    assert estimate(LAB, makes=True) is None


def test_the_last_time_of_the_same_kind_counts() -> None:
    took("lab", 300.0)
    took("lab", 80.0)
    took("lab", 24.0, changed=())
    assert estimate(LAB, makes=True) == Estimate(seconds=80.0, judged_by="the last time")
    assert str(estimate(LAB, makes=False)) == "about 20 s, judged by the last time"


def test_what_did_not_end_well_is_no_measure() -> None:
    took("lab", 5.0, exit_code=6)
    assert estimate(LAB, makes=True) is None


def test_another_stack_is_a_measure_by_how_much_more_there_is() -> None:
    took("lab-edge", 60.0)
    took("forgotten", 1.0)
    judged = estimate(LAB, makes=True)
    assert judged is not None
    assert 60.0 < judged.seconds < 180.0
    assert "lab-edge" in str(judged)


@pytest.mark.parametrize(("seconds", "says"), [(3.0, "10 s"), (64.0, "60 s"), (99.0, "100 s"), (170.0, "3 min")])
def test_it_is_told_as_roughly_as_it_is_known(seconds: float, says: str) -> None:
    assert str(Estimate(seconds=seconds, judged_by="it")) == f"about {says}, judged by it"
