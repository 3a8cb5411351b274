"""What the tests of wrong input share: how a refusal looks, who has no rights, and what an `up` has noted."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from himari.stack.paths import PROJECT

Himari = Callable[..., subprocess.CompletedProcess[str]]


NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def refused(done: subprocess.CompletedProcess[str], exit_code: int, where: str, *said: str) -> None:
    """The failure is told in our terms: the exit code, the place, and each of `said`."""
    assert done.returncode == exit_code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert [line for line in done.stderr.splitlines() if line.startswith("  where: ") and where in line], done.stderr
    for words in said:
        assert words in done.stderr


def as_nobody(state: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """The command as a user who owns nothing."""
    environment = {**os.environ, "HIMARI_STATE": str(state), "HIMARI_CACHE": str(state / "cache")}
    return subprocess.run(
        (*NOBODY, sys.executable, "-m", "himari.cli.main", *argv),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=PROJECT,
        env=environment,
    )


def known(state: Path, **host: object) -> None:
    """What an `up` would have noted of lab-edge's hosts."""
    folder = state / "lab-edge"
    folder.mkdir(parents=True)
    notes = {name: {"ssh_host_key": "ssh-ed25519 AAAA", **host} for name in ("exchange", "edge", "brain")}
    (folder / "hosts.json").write_text(json.dumps(notes))
