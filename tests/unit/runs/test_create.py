"""What a stack asks of its lab, and what is refused before anything is made."""

from pathlib import Path

import msgspec
import pytest

from himari.runs.create import create, kept, lab_hosts, lab_spec, refuse_clouds
from himari.stack.errors import StackFileError
from himari.stack.known import KnownHost
from himari.stack.load import load_stack
from himari.stack.model import Provider
from himari.stack.paths import StateDir

LAB = load_stack("lab-edge")
STATIC = load_stack("vps-brain")


def test_a_labs_image_carries_the_packages_of_all_its_hosts() -> None:
    spec = lab_spec(LAB)
    assert spec.stack_name == "lab-edge"
    assert spec.names == lab_hosts(LAB) == ("exchange", "edge", "brain")
    assert {"redis-server", "wireguard-tools", "python3-venv", "nftables"} <= set(spec.packages)
    assert list(spec.packages) == sorted(set(spec.packages))


def test_machines_that_exist_are_taken_as_they_are(tmp_path: Path) -> None:
    outcome = create(STATIC, StateDir(tmp_path), lambda host, says: None)
    assert (outcome.changed, outcome.says) == ((), "these hosts exist already")


def test_a_host_of_a_cloud_is_refused_with_its_key() -> None:
    refuse_clouds(LAB)
    refuse_clouds(STATIC)
    edge = msgspec.structs.replace(STATIC.hosts["edge"], provider=Provider.VULTR)
    with pytest.raises(StackFileError) as told:
        refuse_clouds(msgspec.structs.replace(STATIC, hosts={**STATIC.hosts, "edge": edge}))
    assert told.value.where == "hosts.edge.provider"
    assert "static" in told.value.hint


def test_a_host_that_was_left_alone_keeps_the_key_that_it_made_and_a_new_one_has_none() -> None:
    met = KnownHost(address="10.200.7.2", ssh_host_key="ssh-ed25519 AAAA", wireguard_public_key="key=")
    made = KnownHost(address="10.200.8.2", ssh_host_key="ssh-ed25519 AAAA")
    assert kept(met, made) == msgspec.structs.replace(made, wireguard_public_key="key=")
    anew = msgspec.structs.replace(made, ssh_host_key="ssh-ed25519 BBBB")
    assert kept(met, anew) == anew
    assert kept(None, made) == made
