from collections.abc import Callable
from pathlib import Path

import pytest

from himari.runs.journal import Closed, Finished, Journal, Line, Opened, now, read_journal
from himari.runs.progress import Event, Narrator, Phase, Report
from himari.runs.steps import Outcome, Step, StepError, check_order, green_steps, run_steps
from himari.stack.errors import DeployError


class Bench:
    """Runs steps against a real journal and keeps what was done and said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.worked: list[str] = []
        self.events: list[Event] = []

    def step(self, name: str, holds: Callable[[], bool] | None = None, breaks: Exception | None = None) -> Step:
        def work(report: Report) -> Outcome:
            self.worked.append(name)
            report("edge", f"{name} at work")
            if breaks:
                raise breaks
            return Outcome(changed=(f"edge: {name}",))

        return Step(name=name, work=work, holds=holds)

    def run(self, *steps: Step, green: frozenset[str] = frozenset()) -> list[Line]:
        with Journal.create(self.folder, "up") as journal:
            try:
                run_steps(steps, journal, Narrator(self.events.append), green)
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


def test_green_steps_that_hold_are_passed_over_up_to_the_first_that_is_not(bench: Bench) -> None:
    steps = [bench.step(name, holds=lambda: True) for name in ("create", "contact", "deploy", "validate")]
    bench.run(*steps, green=frozenset({"create", "contact", "validate"}))
    assert bench.worked == ["deploy", "validate"]


def test_a_green_step_that_holds_no_more_is_done_again_and_so_is_all_after_it(bench: Bench) -> None:
    bench.run(
        bench.step("create", holds=lambda: False),
        bench.step("contact", holds=lambda: True),
        green=frozenset({"create", "contact"}),
    )
    assert bench.worked == ["create", "contact"]


def test_a_step_without_a_cheap_look_is_done_again(bench: Bench) -> None:
    bench.run(bench.step("deploy"), green=frozenset({"deploy"}))
    assert bench.worked == ["deploy"]


def test_a_resumed_run_that_is_cut_off_can_be_resumed(bench: Bench) -> None:
    create = bench.step("create", holds=lambda: True)
    with pytest.raises(StepError):
        bench.run(create, bench.step("deploy", breaks=DeployError("no")), green=frozenset({"create"}))
    [path] = bench.folder.iterdir()
    opened = Opened(at=now(), verb="up", command="himari up tokyo", pid=1, inputs="a")
    assert green_steps([opened, *read_journal(path)], "a") == {"create"}


@pytest.mark.parametrize(
    ("inputs", "exit_code", "expected"),
    [("a", None, {"create"}), ("a", 6, {"create"}), ("a", 0, set()), ("b", None, set())],
    ids=["killed", "failed", "ended well", "other inputs"],
)
def test_only_a_run_that_did_not_end_well_and_had_the_same_inputs_is_resumed(
    inputs: str, exit_code: int | None, expected: set[str]
) -> None:
    lines: list[Line] = [
        Opened(at=now(), verb="up", command="himari up tokyo", pid=1, inputs="a"),
        Finished(at=now(), step="create", seconds=1.0),
        Finished(at=now(), step="deploy", seconds=1.0, error="no"),
    ]
    if exit_code is not None:
        lines.append(Closed(at=now(), seconds=2.0, exit_code=exit_code))
    assert green_steps(lines, inputs) == expected


def test_a_step_before_one_that_it_needs_is_refused() -> None:
    late = Step(name="deploy", work=lambda report: Outcome(), needs=("contact",))
    with pytest.raises(ValueError, match="deploy needs contact"):
        check_order([late])
