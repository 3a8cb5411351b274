"""Faults of settings: what they do to a host, and when."""

from pathlib import Path

import pytest

from himari.drills.settings import CLOCK, ClockAhead
from himari.stack.paths import StateDir
from tests.unit.drills.samples import Remote


@pytest.fixture
def field(tmp_path: Path) -> Remote:
    return Remote(StateDir(tmp_path), {"dpkg -L": "/usr/lib/libfaketime.so.1\n"})


def test_the_clock_jumps_inside_the_running_collector(field: Remote) -> None:
    fault = ClockAhead(2)
    fault.prepare(field)
    begun = "".join(field.scripts)
    assert "LD_PRELOAD=/usr/lib/libfaketime.so.1" in begun
    assert f"FAKETIME_TIMESTAMP_FILE={CLOCK} FAKETIME_CACHE_DURATION=1" in begun
    field.scripts.clear()
    fault.inject(field)
    fault.lift(field)
    told = " | ".join(field.scripts)
    assert "echo +2s" in told
    assert "echo +0s" in told
    assert "systemctl" not in told
