"""What a command of drills leaves in the stack's evidence."""

from pathlib import Path

import pytest

from himari.drills.field import Field
from himari.drills.judge import Verdict
from himari.drills.run import note
from himari.proof.evidence import DrillRecord, Evidence, read_evidence
from himari.stack.load import load_stack
from himari.stack.paths import StateDir
from tests.unit.proof.samples import drilled, windowed

EARLIER, LATER = "2026-01-02T03:04:05+00:00", "2026-01-02T09:00:00+00:00"


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
    note(field, shared)
    note(field, again)
    assert noted(field).drills == [shared.records[1], *again.records]
    assert noted(field).windows == [shared.window, again.window]
    last = verdict(drilled(name="stall", started=LATER))
    note(field, last)
    assert noted(field).windows == [again.window, last.window]


def test_a_window_without_an_account_is_noted_all_the_same(field: Field) -> None:
    note(field, Verdict([drilled()], None))
    assert (noted(field).drills, noted(field).windows) == ([drilled()], [])
