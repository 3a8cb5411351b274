"""Runs that are killed while they run, and runs that end before."""

from pathlib import Path
from random import Random

import pytest

from himari.drills.field import Field
from himari.drills.killed_up import UpKilled
from himari.stack.errors import MachineError
from himari.stack.load import load_stack
from himari.stack.paths import StateDir

AT_ONCE = (0.05, 0.1)
SECOND_ENDS = 'n=$(cat n 2>/dev/null); echo x$n >n; [ "$n" = x ] || exec sleep 60'


@pytest.fixture
def field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Field:
    monkeypatch.chdir(tmp_path)
    return Field(load_stack("lab-edge"), StateDir(tmp_path))


def killed(script: str) -> UpKilled:
    return UpKilled(Random(1), 3, ("sh", "-c", script), AT_ONCE)


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
