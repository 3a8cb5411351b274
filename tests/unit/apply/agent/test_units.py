"""What counts as a unit that runs; systemctl is a stand-in that says what it is told to say."""

import os
from pathlib import Path

import pytest

from himari.apply.agent import units
from himari.apply.agent.places import Places

SHOWN = "LoadState=loaded\nActiveState={}\nSubState={}\nUnitFileState=enabled\n{}"


@pytest.mark.parametrize(
    ("shown", "runs"),
    [
        (("active", "running", ""), True),
        (("reloading", "reload", ""), True),
        (("activating", "start", ""), True),
        (("activating", "auto-restart", ""), False),
        (("failed", "failed", ""), False),
        (("inactive", "dead", ""), False),
        (("inactive", "dead", "Job=117\n"), True),
    ],
)
def test_a_unit_on_its_way_after_a_boot_runs_and_one_that_is_tried_again_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: tuple[str, str, str], runs: bool
) -> None:
    (tmp_path / "said").write_text(SHOWN.format(*shown))
    program = tmp_path / "systemctl"
    program.write_text(f"#!/bin/sh\ncat {tmp_path / 'said'}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert units.look(["x.service"], Places(lib=tmp_path))["x.service"].active is runs
