import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Himari = Callable[..., subprocess.CompletedProcess[str]]


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
