"""Runs that are killed while they run, and runs that end before."""

from pathlib import Path
from random import Random

import pytest

from himari.drills.attempt import attempt
from himari.drills.field import Field
from himari.drills.judge import Attempt
from himari.drills.killed_up import UpKilled
from himari.runs.journal import Journal, Started, now
from himari.stack.errors import MachineError
from himari.stack.load import load_stack
from himari.stack.paths import StateDir
from tests.unit.drills.samples import drill

AT_ONCE = (0.05, 0.1)
SECOND_ENDS = 'n=$(cat n 2>/dev/null); echo x$n >n; [ "$n" = x ] || exec sleep 60'


@pytest.fixture
def field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Field:
    monkeypatch.chdir(tmp_path)
    return Field(load_stack("lab-edge"), StateDir(tmp_path))


def killed(script: str, points: int = 3, patience: float = 60) -> UpKilled:
    return UpKilled(Random(1), points, ("sh", "-c", script), AT_ONCE, patience)


def test_runs_that_are_alive_at_their_kill_are_counted(field: Field) -> None:
    fault = killed("exec sleep 60")
    fault.inject(field)
    assert fault.seen(field).startswith("killed 3 times: at its beginning (")


def test_a_run_that_ended_by_itself_is_made_up_for(field: Field) -> None:
    fault = killed(SECOND_ENDS)
    fault.inject(field)
    assert fault.seen(field).startswith("killed 3 times")
    assert (Path("n").read_text().strip()) == "xxxx"


def test_too_few_kills_are_no_drill(field: Field) -> None:
    fault = killed("exit 7")
    with pytest.raises(MachineError, match="0 runs of 6 were alive at their kill, the others ended with 7, 7"):
        fault.inject(field)
    assert fault.seen(field) == ""


def after_the_kills(field: Field, script: str, patience: float = 60) -> Attempt:
    """The attempt in which nothing is killed before the run that is left to itself."""
    fault = killed(script, 0, patience)
    return attempt(field, drill(fault=fault, seen_within=0), fault, lambda _: None)


def test_a_red_run_after_the_kills_is_told_at_once_with_the_step_at_which_it_stands(field: Field) -> None:
    with Journal.create(field.state.path / "second" / field.stack.name / "runs", "up") as journal:
        journal.append(Started(at=now(), step="day2"))
    one = after_the_kills(field, "echo run >>runs; exit 7")
    assert "the `up` after the kills ended with 7, at day2: expected a green run" in one.trouble
    assert Path("runs").read_text() == "run\n"


def test_a_run_after_the_kills_that_does_not_end_is_trouble_of_this_drill(field: Field) -> None:
    one = after_the_kills(field, "exec sleep 60", patience=0.1)
    assert "`himari up` did not end within 0.1 s" in one.trouble


def test_a_second_lab_whose_destroy_does_not_end_is_told(field: Field) -> None:
    (field.state.path / "second" / field.stack.name).mkdir(parents=True)
    with pytest.raises(MachineError, match="`himari destroy` did not end within"):
        killed("exec sleep 60", patience=0.1).heal(field)
