"""An edge without memory: who was killed meanwhile, and whether the collector was among them."""

from pathlib import Path

import pytest

from himari.drills.memory import HOG, Starved
from himari.stack.errors import HimariError
from himari.stack.paths import StateDir
from tests.unit.drills.samples import Remote

ALARM = "edge-memory: the kernel has killed\n"


@pytest.mark.parametrize(("process", "spared"), [("17", True), ("18", False)])
def test_only_what_was_killed_since_then_is_told_and_whether_the_collector_was(
    tmp_path: Path, process: str, spared: bool
) -> None:
    field = Remote(StateDir(tmp_path), {"NRestarts": "4", "MainPID": "17"})
    fault = Starved(spare_mb=64)
    with pytest.raises(HimariError):
        fault.inject(field)  # of a lab that is not there
    field.answers = {"journalctl": ALARM, "NRestarts": "4", "MainPID": process}
    assert fault.seen(field) == ""
    field.answers = {"journalctl": ALARM, f"NRestarts {HOG}": "9", "NRestarts": "4", "MainPID": process}
    said = "spared" if spared else "not spared"
    assert f"{HOG}.service 5; the collector was {said}; the dead-man calls: edge-memory" in fault.seen(field)
    assert fault.spared(field) is spared
