"""What first contact runs on a host."""

from pathlib import Path

from himari.apply.contact import script
from himari.stack.known import KnownHost
from himari.stack.load import load_stack
from himari.stack.paths import StateDir

STACK = load_stack("vps-brain")


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
