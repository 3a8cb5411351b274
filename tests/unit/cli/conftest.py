import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from himari.stack.paths import INVENTORIES
from tests.unit.cli.refusals import Himari


@pytest.fixture
def himari(tmp_path: Path) -> Himari:
    """The real command in a process of its own, with a state folder of its own."""

    def run(*argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            (sys.executable, "-m", "himari.cli.main", *argv),
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "HIMARI_STATE": str(tmp_path / "state"), **environment},
        )

    return run


@pytest.fixture
def stack_file(tmp_path: Path) -> Path:
    path = tmp_path / "vps-brain.toml"
    path.write_text((INVENTORIES / "vps-brain.toml").read_text())
    return path


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that anybody may reach and write, as pytest's own are for its user only."""
    for parent in (tmp_path, *tmp_path.parents):
        if parent == Path(tempfile.gettempdir()):
            break
        parent.chmod(0o755)
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(0o777)
    return folder
