"""Addresses, cables and rules of a lab, as text; nothing here touches the machine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from himari.lab import network
from himari.lab.identity import Lab
from himari.stack.errors import MachineError

LAB = Lab("hm-0a1b2c")


def test_a_subnet_that_a_wider_route_covers_is_not_chosen() -> None:
    assert network.choose_subnet(["10.200.0.0/22", "10.200.4.7"]) == "10.200.5.0/24"


def test_the_remembered_subnet_is_kept_while_it_is_free() -> None:
    assert network.choose_subnet(["10.200.0.0/24"], "10.210.3.0/24") == "10.210.3.0/24"
    assert network.choose_subnet(["10.210.0.0/16"], "10.210.3.0/24") == "10.200.0.0/24"


def test_a_machine_without_a_free_subnet_is_told_so() -> None:
    with pytest.raises(MachineError, match="no address range is free"):
        network.choose_subnet(["10.192.0.0/10"])


@given(st.lists(st.sampled_from([f"h{n}" for n in range(20)]), unique=True), st.lists(st.integers(0, 19), unique=True))
def test_hosts_keep_their_addresses_and_never_share_one(names: list[str], before: list[int]) -> None:
    known = network.number_hosts([f"h{n}" for n in before], {})
    numbered = network.number_hosts(names, known)
    assert list(numbered) == names
    assert len(set(numbered.values())) == len(names)
    assert all(numbered[name] == known[name] for name in names if name in known)


def test_no_link_is_longer_than_the_kernel_allows() -> None:
    assert max(len(name) for name in (LAB.bridge, *(LAB.link(byte) for byte in range(256)))) <= 15


def test_every_name_bears_the_labs_id() -> None:
    names = (LAB.bridge, LAB.link(10), LAB.outside, LAB.machine("edge"), LAB.folder.name, LAB.lock.name)
    assert all(name.startswith(LAB.id) for name in names)


def test_a_host_keeps_its_hardware_address_from_boot_to_boot() -> None:
    assert f"peer name eth0 address 02:0a:1b:2c:00:0b mtu {network.MTU}" in network.cable_commands(LAB, "n", 11)


def test_the_outside_namespace_is_no_hosts() -> None:
    assert LAB.outside != LAB.machine("outside")


def test_the_ruleset_replaces_the_whole_table_and_masks_only_what_leaves() -> None:
    text = network.ruleset(LAB, "10.200.5.0/24")
    assert text.startswith("table inet hm-0a1b2c {}\ndelete table inet hm-0a1b2c\n")
    assert "ip saddr 10.200.5.0/24 ip daddr != 10.200.5.0/24 masquerade" in text
