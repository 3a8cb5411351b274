"""What the journals of a stack's runs say of a destroy that did not come to its end."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from himari.runs.halfway import half_destroyed, refuse_half_destroyed
from himari.runs.journal import Closed, Finished, Journal, Opened, Started
from himari.runs.lock import hold
from himari.stack.errors import LEFT, HostError
from himari.stack.paths import StateDir

AT = "2026-01-02T03:04:05.678+00:00"


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    return StateDir(tmp_path / "tokyo")


def run(state: StateDir, verb: str, green: Sequence[str], cut: str = "", code: int | None = None) -> None:
    """A run that did the steps `green`, came to `cut`, and closed itself with `code`, or was killed."""
    with Journal.create(state.runs, verb) as journal:
        journal.append(Opened(at=AT, verb=verb, command=f"himari {verb} tokyo", pid=1, inputs=""))
        for step in green:
            journal.append(Started(at=AT, step=step))
            journal.append(Finished(at=AT, step=step, seconds=1.0))
        if cut:
            journal.append(Started(at=AT, step=cut))
        if code is not None:
            journal.append(Closed(at=AT, seconds=1.0, exit_code=code))


def test_a_stack_that_was_never_destroyed_is_whole(state: StateDir) -> None:
    assert half_destroyed(state) == ""
    run(state, "up", ["preflight", "create"], "contact")
    assert half_destroyed(state) == ""
    refuse_half_destroyed(state)


@pytest.mark.parametrize("code", [None, 6, 130], ids=["killed", "failed", "stopped"])
def test_a_destroy_that_was_cut_off_is_told_with_its_step_and_what_helps(state: StateDir, code: int | None) -> None:
    run(state, "up", ["preflight", "create"], code=0)
    run(state, "destroy", ["hosts"], "lab", code)
    assert half_destroyed(state) == f"half destroyed: `himari destroy tokyo` of {AT} was cut off at lab"
    with pytest.raises(HostError) as told:
        refuse_half_destroyed(state)
    assert told.value.where == str(state.path)
    assert told.value.hint == "himari destroy tokyo finishes it; himari up tokyo builds it again"


def test_a_destroy_that_left_something_is_told_as_such(state: StateDir) -> None:
    run(state, "destroy", ["hosts", "notes"], code=LEFT)
    assert half_destroyed(state).endswith(f"of {AT} left something at notes")


@pytest.mark.parametrize(
    ("verb", "green", "cut", "code"),
    [("destroy", ["hosts", "lab", "notes"], "", 0), ("up", ["preflight", "create"], "contact", None)],
    ids=["a whole destroy", "an up that made the hosts"],
)
def test_what_came_after_makes_good(
    state: StateDir, verb: str, green: Sequence[str], cut: str, code: int | None
) -> None:
    run(state, "destroy", ["hosts"], "lab")
    run(state, verb, green, cut, code)
    assert half_destroyed(state) == ""


@pytest.mark.parametrize(
    ("verb", "green", "cut"),
    [("up", [], "preflight"), ("up", ["preflight"], "create"), ("validate", ["validate"], "")],
    ids=["an up that was refused", "an up that made no hosts", "a proof"],
)
def test_what_made_nothing_leaves_it_half(state: StateDir, verb: str, green: Sequence[str], cut: str) -> None:
    run(state, "destroy", ["hosts"], "lab")
    run(state, verb, green, cut, 4)
    assert "cut off at lab" in half_destroyed(state)


def test_a_destroy_that_is_at_work_is_not_cut_off(state: StateDir) -> None:
    with hold(state.lock, ("himari", "destroy", "tokyo")):
        run(state, "destroy", ["hosts"], "lab")
        assert half_destroyed(state) == ""
    assert half_destroyed(state) != ""
