"""What is asked of the operator's machine and stack file before any host is touched."""

import os
from pathlib import Path

import msgspec
import pytest

from himari.runs.operator import check_operator
from himari.stack.errors import MachineError, StackFileError
from himari.stack.load import load_stack
from himari.stack.model import Stack
from himari.stack.paths import StateDir

SHIPPED = load_stack("vps-brain")
MACHINE = "edge.example.net"


def edited(address: str = MACHINE, ssh_from: str = "100.64.0.0/24", key: str = "") -> Stack:
    """The shipped stack as somebody has edited it."""
    edge = msgspec.structs.replace(SHIPPED.hosts["edge"], address=address)
    access = msgspec.structs.replace(SHIPPED.access, ssh_from=(ssh_from,), identity_file=key)
    return msgspec.structs.replace(SHIPPED, hosts={**SHIPPED.hosts, "edge": edge}, access=access)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateDir:
    """A stack that was never up; HOME has a key pair."""
    folder = tmp_path / ".ssh"
    folder.mkdir()
    (folder / "id_ed25519").touch()
    (folder / "id_ed25519.pub").write_text("ssh-ed25519 AAAA operator")
    monkeypatch.setenv("HOME", str(tmp_path))
    return StateDir(tmp_path / "state")


def test_an_edited_stack_and_a_key_are_all_that_is_asked(state: StateDir) -> None:
    check_operator(edited(), state)
    check_operator(load_stack("lab-edge"), state)
    assert not state.path.exists()


@pytest.mark.parametrize("address", ["192.0.2.77", "198.51.100.1", "203.0.113.10"])
def test_a_placeholder_is_no_machine(state: StateDir, address: str) -> None:
    with pytest.raises(StackFileError, match="is a placeholder") as told:
        check_operator(edited(address), state)
    assert told.value.where == "hosts.edge.address"


def test_without_a_key_pair_the_command_that_makes_one_is_told(state: StateDir, tmp_path: Path) -> None:
    (tmp_path / ".ssh" / "id_ed25519.pub").unlink()
    with pytest.raises(MachineError, match="no public key of the operator") as told:
        check_operator(edited(), state)
    assert "ssh-keygen" in told.value.hint


def test_the_shipped_file_without_a_key_is_told_everything_at_once(state: StateDir, tmp_path: Path) -> None:
    (tmp_path / ".ssh" / "id_ed25519").unlink()
    with pytest.raises(StackFileError, match="3 things are to be mended first; no host was touched") as told:
        check_operator(SHIPPED, state)
    for said in ("no public key", "hosts.edge.address: 203.0.113.10", "access.ssh_from[0]: 198.51.100.0/24"):
        assert said in told.value.what
    assert "ssh-keygen" in told.value.hint


def test_a_user_who_may_not_become_root_here_is_told_so(
    state: StateDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError, match="may not become root") as told:
        check_operator(edited(), state)
    assert told.value.where == "brain"
    sudo = tmp_path / "sudo"
    sudo.write_text("#!/bin/sh\nexit 0\n")
    sudo.chmod(0o755)
    check_operator(edited(), state)
