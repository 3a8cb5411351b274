"""Two runs of one verb, one after the other: what the second is told of the first."""

from collections.abc import Callable
from pathlib import Path

import pytest

from himari.runs.journal import Closed, last_journal
from himari.runs.progress import Event, Report
from himari.runs.session import GOES_ON, session
from himari.runs.steps import Outcome, Step, StepError
from himari.stack.errors import LEFT, HostError
from himari.stack.paths import StateDir


def nothing(report: Report) -> Outcome:
    return Outcome()


def breaks(report: Report) -> Outcome:
    raise HostError("is gone")


def told_of(state: StateDir, *steps: Step) -> list[Event]:
    """What the run after a failed one of these steps says of that."""
    events: list[Event] = []
    for _ in range(2):
        events.clear()
        with (
            pytest.raises(StepError),
            session(state, ("himari", "validate", "x"), "", events.append) as opened,
        ):
            opened.run(steps)
    return [event for event in events if event.says == GOES_ON]


def test_a_run_says_where_the_last_one_stopped(tmp_path: Path) -> None:
    (told,) = told_of(StateDir(tmp_path), Step(name="look", work=nothing), Step(name="apply", work=breaks))
    assert told.step == "apply"


def test_a_run_that_had_nothing_done_is_not_told_of(tmp_path: Path) -> None:
    assert told_of(StateDir(tmp_path), Step(name="validate", work=breaks)) == []


def red(report: Report) -> Outcome:
    return Outcome(red=True, says="2 statements do not hold.")


def closed(state: StateDir) -> list[int]:
    return [line.exit_code for line in last_journal(state.runs, "validate") if isinstance(line, Closed)]


@pytest.mark.parametrize(("work", "code"), [(nothing, 0), (red, 7)], ids=["green", "red"])
def test_the_journal_closes_with_the_code_of_the_verdict(
    tmp_path: Path, work: Callable[[Report], Outcome], code: int
) -> None:
    with session(StateDir(tmp_path), ("himari", "validate", "x"), "", lambda _event: None) as opened:
        opened.run([Step(name="validate", work=work)])
    assert closed(StateDir(tmp_path)) == [code]


def test_the_journal_closes_with_the_code_that_the_run_chose_or_its_failure_means(tmp_path: Path) -> None:
    with session(StateDir(tmp_path), ("himari", "validate", "x"), "", lambda _event: None) as opened:
        opened.run([Step(name="validate", work=red)])
        opened.exit_code = LEFT
    assert closed(StateDir(tmp_path)) == [LEFT]
    told_of(StateDir(tmp_path), Step(name="validate", work=breaks))
    assert closed(StateDir(tmp_path)) == [HostError.exit_code]
