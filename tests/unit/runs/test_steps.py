from pathlib import Path

import pytest

from himari.runs.journal import Closed, Finished, Journal, Line, Opened, Started, now, read_journal, stood_at
from himari.runs.progress import Event, Narrator, Phase, Report
from himari.runs.steps import Outcome, Step, StepError, check_order, run_steps, stopped_at
from himari.stack.errors import DeployError


class Bench:
    """Runs steps against a real journal and keeps what was done and said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.worked: list[str] = []
        self.events: list[Event] = []

    def step(self, name: str, breaks: Exception | None = None) -> Step:
        def work(report: Report) -> Outcome:
            self.worked.append(name)
            report("edge", f"{name} at work")
            if breaks:
                raise breaks
            return Outcome(changed=(f"edge: {name}",))

        return Step(name=name, work=work)

    def run(self, *steps: Step) -> list[Line]:
        with Journal.create(self.folder, "up") as journal:
            try:
                run_steps(steps, journal, Narrator(self.events.append))
            finally:
                lines = read_journal(journal.path)
        return lines


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_steps_run_in_order_and_are_noted(bench: Bench) -> None:
    lines = bench.run(bench.step("create"), bench.step("deploy"))
    assert bench.worked == ["create", "deploy"]
    finished = [line for line in lines if isinstance(line, Finished)]
    assert [(line.step, line.changed, line.error) for line in finished] == [
        ("create", ("edge: create",), ""),
        ("deploy", ("edge: deploy",), ""),
    ]


def test_a_failure_stops_the_run_and_is_noted_with_its_host(bench: Bench) -> None:
    failure = DeployError("redis-server.service does not start", where="edge")
    with pytest.raises(StepError) as stopped:
        bench.run(bench.step("create"), bench.step("deploy", breaks=failure), bench.step("validate"))
    assert stopped.value.step.name == "deploy"
    assert stopped.value.__cause__ is failure
    assert [done.step for done in stopped.value.done] == ["create"]
    assert bench.worked == ["create", "deploy"]
    last = [line for path in bench.folder.iterdir() for line in read_journal(path) if isinstance(line, Finished)][-1]
    assert (last.step, last.host, last.error) == ("deploy", "edge", "redis-server.service does not start")
    assert bench.events[-1].phase is Phase.FAILED


def test_a_step_whose_verdict_is_bad_ends_red_and_is_noted_as_such(bench: Bench) -> None:
    lines = bench.run(Step(name="validate", work=lambda report: Outcome(red=True, says="2 statements do not hold.")))
    last = [line for line in lines if isinstance(line, Finished)][-1]
    assert last.error == "2 statements do not hold."
    assert (bench.events[-1].phase, bench.events[-1].says) == (Phase.RED, "2 statements do not hold.")


@pytest.mark.parametrize(
    ("inputs", "exit_code", "expected"),
    [("a", None, "deploy"), ("a", 6, "deploy"), ("a", 7, "deploy"), ("a", 0, ""), ("b", None, "")],
    ids=["killed", "failed", "red", "ended well", "other inputs"],
)
def test_only_a_run_that_did_not_end_well_and_had_the_same_inputs_is_resumed(
    inputs: str, exit_code: int | None, expected: str
) -> None:
    lines: list[Line] = [
        Opened(at=now(), verb="up", command="himari up tokyo", pid=1, inputs="a"),
        Started(at=now(), step="create"),
        Finished(at=now(), step="create", seconds=1.0),
        Started(at=now(), step="deploy"),
    ]
    if exit_code is not None:
        lines.append(Closed(at=now(), seconds=2.0, exit_code=exit_code))
    assert stopped_at(lines, inputs) == expected


def test_a_run_stood_at_its_first_step_that_was_not_green(bench: Bench) -> None:
    red = Step(name="deploy", work=lambda report: Outcome(red=True, says="one unit is still active"))
    assert stood_at(bench.run(bench.step("create"), red, bench.step("notes"))) == "deploy"
    assert stood_at([]) == ""


def test_a_step_before_one_that_it_needs_is_refused() -> None:
    late = Step(name="deploy", work=lambda report: Outcome(), needs=("contact",))
    with pytest.raises(ValueError, match="deploy needs contact"):
        check_order([late])
