"""What first contact runs on a host, and when; hosts are a stand-in for `ssh` that notes what it is given."""

import os
import subprocess
from pathlib import Path

import msgspec
import pytest

from himari.apply.contact import ASK_HOLDER, contact, script
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
[ ! -e "$folder/$host.waits" ] || [ "${script#*wg}" = "$script" ] || timeout 10 sh "$folder/$host.waits"
case $script in
*wg*) echo "$script" >>"$folder/$host.changed"; echo made; echo "key-of-$host=";;
*) cat "$folder/$host.holder" 2>/dev/null || true;;
esac
"""


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the stand-in: NAME.up lets host NAME answer, NAME.changed is what it was told to do,
    NAME.holder what it says of the stack that it belongs to."""
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


def test_a_host_is_known_as_soon_as_it_was_met(hosts: Path, state: StateDir) -> None:
    for name in ("edge", "brain"):
        (hosts / f"{name}.up").touch()
    known, seen = state.hosts, hosts / "seen"
    (hosts / "brain.waits").write_text(
        f"until grep -q key-of-edge {known}; do sleep 0.05; done 2>&1; cp {known} {seen}"
    )
    contact(two_servers(), state, silent)
    assert list(read_known(seen)) == ["edge"]
    assert list(read_known(known)) == ["edge", "brain"]


def test_a_host_of_another_stack_is_refused_before_any_is_changed(hosts: Path, state: StateDir) -> None:
    for name in ("edge", "brain"):
        (hosts / f"{name}.up").touch()
    (hosts / "edge.holder").write_text("a word of welcome\nholder vps-brain\n")
    (hosts / "brain.holder").write_text("holder osaka\n")
    with pytest.raises(HostError, match="it belongs to the stack osaka") as told:
        contact(two_servers(), state, silent)
    assert told.value.where == "brain"
    assert "himari destroy osaka" in told.value.hint
    assert not list(hosts.glob("*.changed"))
    (hosts / "brain.holder").unlink()
    assert set(contact(two_servers(), state, silent)) == {"edge", "brain"}


def test_a_host_that_was_met_says_whose_it_is(tmp_path: Path) -> None:
    given = script(STACK, "brain", KnownHost(address="local"), StateDir(tmp_path))
    texts = (text.replace("/etc/", f"{tmp_path}/") for text in (ASK_HOLDER, given, ASK_HOLDER))
    before, _, after = (
        subprocess.run(("sh", "-s"), input=text, capture_output=True, text=True, check=True).stdout for text in texts
    )
    assert (before, after) == ("", "holder vps-brain\n")


@pytest.fixture
def wireguard(tmp_path: Path) -> Path:
    """What is /etc/wireguard on a host."""
    return tmp_path / "etc" / "wireguard"


def key_said(wireguard: Path, *, cut_off_at: str = "") -> list[str]:
    """What a host says of its key at first contact; the power is cut before the file `cut_off_at` gets its name."""
    programs = wireguard.parent / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    (programs / "mv").write_text(
        f'#!/bin/sh\n[ "$2" != {wireguard / cut_off_at} ] || exec kill -9 $PPID\nexec /bin/mv "$@"\n'
    )
    (programs / "mv").chmod(0o755)
    text = script(STACK, "brain", KnownHost(address="local"), StateDir(wireguard))
    given, path = text.replace("/etc/", f"{wireguard.parent}/"), f"{programs}:{os.environ['PATH']}"
    argv = ("sh", "-s")
    done = subprocess.run(argv, input=given, capture_output=True, text=True, env={"PATH": path}, check=not cut_off_at)
    return done.stdout.splitlines()


def made_by_hand(wireguard: Path) -> None:
    wireguard.mkdir(parents=True, exist_ok=True)
    key = subprocess.run(("wg", "genkey"), capture_output=True, check=True).stdout
    (wireguard / "private.key").write_bytes(key)


def test_a_host_says_that_its_key_was_made_however_often_it_is_met(wireguard: Path) -> None:
    made, key = key_said(wireguard)
    assert made == "made"
    assert key_said(wireguard) == ["made", key]
    assert {path.stat().st_mode & 0o077 for path in wireguard.iterdir()} == {0}


def test_a_key_that_was_there_before_is_not_said_to_be_made(wireguard: Path) -> None:
    made_by_hand(wireguard)
    assert len(key_said(wireguard)) == 1


@pytest.mark.parametrize("file", ["private.key.himari", "private.key"])
def test_a_first_contact_that_is_cut_off_vouches_for_no_other_key(wireguard: Path, file: str) -> None:
    assert key_said(wireguard, cut_off_at=file) == []
    assert not (wireguard / "private.key").exists()
    made_by_hand(wireguard)
    assert len(key_said(wireguard)) == 1
    (wireguard / "private.key").unlink()
    assert key_said(wireguard)[0] == "made"
