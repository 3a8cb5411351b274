"""What first contact runs on a host, and when; hosts are a stand-in for `ssh` that notes what it is given."""

import os
from pathlib import Path

import msgspec
import pytest

from himari.apply.contact import contact, script
from himari.stack.errors import HostError
from himari.stack.known import KnownHost, read_known
from himari.stack.load import load_stack
from himari.stack.model import Stack
from himari.stack.paths import StateDir

STACK = load_stack("vps-brain")
# The name of the host is the last but one of its arguments; each script that it is given is kept.
SSH = """#!/bin/sh
folder=$(dirname "$0")
for command; do host=$before; before=$command; done
[ -e "$folder/$host.up" ] || { echo "ssh: connect to host: Connection refused" >&2; exit 255; }
script=$(cat)
for pin; do case $pin in UserKnownHostsFile=*) echo "$host ssh-ed25519 AAAA" >"${pin#*=}";; esac; done
[ -z "$script" ] || { echo "$script" >>"$folder/$host.changed"; echo made; echo "key-of-$host="; }
"""


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the stand-in: NAME.up lets host NAME answer, NAME.changed is what it was told to do."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "ssh").write_text(SSH)
    (folder / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    state = StateDir(tmp_path / "state")
    state.ssh.mkdir(parents=True)
    (state.ssh / "id_ed25519").touch()
    (state.ssh / "id_ed25519.pub").write_text("ssh-ed25519 AAAA operator")
    return state


def two_servers() -> Stack:
    brain = msgspec.structs.replace(STACK.hosts["brain"], address="203.0.113.11")
    return msgspec.structs.replace(STACK, hosts={**STACK.hosts, "brain": brain})


def silent(_host: str, _says: str) -> None:
    return


def test_this_machine_gets_neither_sudo_nor_a_user(tmp_path: Path) -> None:
    here = script(STACK, "brain", KnownHost(address="local"), StateDir(tmp_path))
    assert "wg genkey" in here
    assert "sudo" not in here
    assert "useradd" not in here


def test_a_host_elsewhere_gets_what_later_logins_need(tmp_path: Path) -> None:
    key = tmp_path / "ssh" / "id_ed25519"
    key.parent.mkdir()
    key.touch()
    key.with_suffix(".pub").write_text("ssh-ed25519 AAAA operator")
    there = script(STACK, "edge", KnownHost(address="203.0.113.10"), StateDir(tmp_path))
    for part in ("sudo:sudo", "useradd", "ssh-ed25519 AAAA operator", "wg genkey"):
        assert part in there


def test_no_host_is_changed_before_each_has_answered(hosts: Path, state: StateDir) -> None:
    (hosts / "edge.up").touch()
    with pytest.raises(HostError, match="cannot be reached") as told:
        contact(two_servers(), state, silent)
    assert told.value.where == "brain"
    assert not (hosts / "edge.changed").exists()
    assert read_known(state.hosts) == {}


def test_all_hosts_that_do_not_answer_are_told(hosts: Path, state: StateDir) -> None:
    with pytest.raises(HostError, match="2 hosts cannot be met; no host was changed") as told:
        contact(two_servers(), state, silent)
    assert told.value.where == "edge, brain"
    for address in ("203.0.113.10", "203.0.113.11"):
        assert f"{address}:22 cannot be reached" in told.value.what


def test_what_a_host_made_is_known_and_costs_no_second_contact(hosts: Path, state: StateDir) -> None:
    for name in ("edge", "brain"):
        (hosts / f"{name}.up").touch()
    known = contact(two_servers(), state, silent)
    assert known["edge"].wireguard_public_key == "key-of-edge="
    assert known["edge"].wireguard_key_made
    assert known["edge"].ssh_host_key == "ssh-ed25519 AAAA"
    assert read_known(state.hosts) == known
    (hosts / "edge.up").unlink()
    assert contact(two_servers(), state, silent) == known
