"""What a host says when its guards are disarmed; a stand-in for its Python says it."""

import os
from pathlib import Path

import msgspec
import pytest

from himari.apply.disarm import disarm
from himari.apply.ssh import Reach
from himari.stack.errors import DeployError
from himari.stack.known import KnownHost

FAILURE = {"step": "lock", "what": "another activation is at work", "lines": ["wait"]}


@pytest.fixture
def says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of what the host answers."""
    folder = tmp_path / "bin"
    folder.mkdir()
    programs = {"sudo": 'shift; exec "$@"', "python3": f"cat >/dev/null; cat {tmp_path}/says"}
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return tmp_path / "says"


def here(says: Path) -> Reach:
    return Reach("edge", KnownHost(address="local"), says.parent)


def test_the_changes_that_stand_are_named(says: Path) -> None:
    says.write_text('himari\n{"disarmed": ["0123"]}\n')
    assert disarm(here(says)) == ("0123",)


def test_a_host_that_cannot_do_it_says_why(says: Path) -> None:
    says.write_bytes(msgspec.json.encode({"changed": [], "failure": FAILURE, "token": ""}))
    with pytest.raises(DeployError, match="another activation is at work") as told:
        disarm(here(says))
    assert (told.value.where, told.value.hint) == ("edge", "wait")


def test_a_host_that_says_nothing_is_told(says: Path) -> None:
    says.touch()
    with pytest.raises(DeployError, match="without an answer"):
        disarm(here(says))
