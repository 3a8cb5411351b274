"""What a command of drills leaves in the stack's evidence."""

from pathlib import Path

import msgspec
import pytest

from himari.drills.field import Field
from himari.drills.judge import Verdict
from himari.drills.run import drill_step, note
from himari.proof.evidence import Check, DrillRecord, Evidence, Severity, Status, read_evidence
from himari.stack.errors import HostError
from himari.stack.load import load_stack
from himari.stack.paths import StateDir
from tests.unit.drills.samples import Recorded, drill
from tests.unit.proof.samples import drilled, windowed

EARLIER, LATER, LATEST = (f"2026-01-02T0{hour}:00:00+00:00" for hour in (3, 8, 9))
PASSED = Check(
    id="redis.active",
    phase="day02_redis",
    host="edge",
    says="Redis runs",
    severity=Severity.CRITICAL,
    observed="active",
    status=Status.PASSED,
)


class Absent(Recorded):
    """A fault on a host that is off before it is made."""

    def prepare(self, field: Field) -> None:
        raise HostError("is off", "edge")


@pytest.fixture
def field(tmp_path: Path) -> Field:
    return Field(load_stack("lab-edge"), StateDir(tmp_path))


def verdict(*records: DrillRecord) -> Verdict:
    return Verdict(list(records), windowed(*records))


def noted(field: Field) -> Evidence:
    return read_evidence(field.state.evidence)


def test_an_earlier_commands_run_of_a_drill_is_replaced_and_its_window_stays_with_those_that_shared_it(
    field: Field,
) -> None:
    shared = verdict(drilled(started=EARLIER), drilled(name="stall", started=EARLIER))
    again = verdict(drilled(started=LATER))
    note(field, [shared])
    note(field, [again])
    assert noted(field).drills == [shared.records[1], *again.records]
    assert noted(field).windows == [shared.window, again.window]
    last = verdict(drilled(name="stall", started=LATER))
    note(field, [last])
    assert noted(field).windows == [again.window, last.window]


def test_each_run_of_a_command_is_kept_and_one_that_missed_is_the_verdict(field: Field) -> None:
    note(field, [verdict(drilled(seed=6, started=EARLIER))])
    missed = verdict(drilled(status=Status.FAILED, reason="too late", started=LATER))
    held = verdict(drilled(seed=8, started=LATEST))
    note(field, [missed])
    note(field, [missed, held])
    assert noted(field).drills == [*missed.records, *held.records]
    assert noted(field).windows == [missed.window, held.window]
    assert noted(field).missed == missed.records
    assert not msgspec.structs.replace(noted(field), checks=[PASSED]).green


def test_the_steps_of_one_command_replace_no_run_of_theirs(field: Field) -> None:
    absent = drill("edge-off", Absent())
    for seeds in ((1, 2), (3, 4)):
        verdicts: list[Verdict] = []
        for number, seed in enumerate(seeds):
            outcome = drill_step(field, number, (absent,), seed, verdicts).work(lambda host, says: None)
            assert outcome.red
        assert [record.seed for record in noted(field).drills] == list(seeds)


def test_a_window_without_an_account_is_noted_all_the_same(field: Field) -> None:
    note(field, [Verdict([drilled()], None)])
    assert (noted(field).drills, noted(field).windows) == ([drilled()], [])
