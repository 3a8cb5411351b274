"""Pinned keys, name servers and greetings."""

from pathlib import Path

import pytest

from himari.lab import contact, host
from himari.stack.errors import HostError


def test_a_new_pin_replaces_the_old_one_of_its_host_and_keeps_the_others() -> None:
    before = "vps,198.51.100.7 ssh-ed25519 OTHER\nedge,10.200.0.10 ssh-ed25519 OLD\n"
    text = contact.known_hosts(before, {"edge": "10.200.0.10"}, {"edge": "ssh-ed25519 NEW"})
    assert text == "vps,198.51.100.7 ssh-ed25519 OTHER\nedge,10.200.0.10 ssh-ed25519 NEW\n"


def test_a_name_server_on_loopback_is_none_for_a_host() -> None:
    stub, real = "nameserver 127.0.0.53\n", "nameserver 192.0.2.53\n"
    assert host.resolvers(stub, real) == real
    assert host.resolvers(stub) == ""


def test_a_host_that_never_greets_is_reported_with_its_console(tmp_path: Path) -> None:
    console = tmp_path / "console.log"
    console.write_text("booting\nFailed to start ssh.service\n")
    with pytest.raises(HostError) as caught:
        contact.await_banner("edge", "127.254.254.254", console, 0.1)
    assert "edge (127.254.254.254:22)" in caught.value.where
    assert "Failed to start ssh.service" in caught.value.hint


def test_a_file_that_says_it_already_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    host.put(path, "127.0.0.1 localhost\n")
    before = path.stat().st_mtime_ns
    host.put(path, "127.0.0.1 localhost\n")
    assert path.stat().st_mtime_ns == before
