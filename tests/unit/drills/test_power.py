"""Hosts without power: what shows that they have none."""

from pathlib import Path

import pytest

from himari.drills.power import BrainOff, EdgeOff
from himari.stack.paths import StateDir
from tests.unit.drills.samples import Remote


@pytest.mark.parametrize(
    ("off", "records", "seen"),
    [
        ({"brain"}, 70, "the brain is off, and the edge journals on, 70 records since"),
        (set(), 70, ""),
        ({"brain"}, 0, ""),
    ],
    ids=["both", "the brain runs", "nothing is journaled"],
)
def test_a_brain_without_power_is_seen_when_it_has_none_and_the_edge_journals_on(
    tmp_path: Path, off: set[str], records: int, seen: str
) -> None:
    field = Remote(StateDir(tmp_path), {"StatusText": f"2 of 2 lines, {records} records, 0 to push"})
    field.off = off
    assert BrainOff().seen(field) == seen


@pytest.mark.parametrize(("off", "seen"), [({"edge"}, "the edge is off"), (set(), "")])
def test_an_edge_without_power_is_seen_as_long_as_it_has_none(tmp_path: Path, off: set[str], seen: str) -> None:
    field = Remote(StateDir(tmp_path), {})
    field.off = off
    assert EdgeOff().seen(field) == seen
