from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from himari.stack.known import KnownHost
from himari.stack.load import load_stack, parse_stack
from himari.stack.model import Header, Host, Network, Provider, Role, Stack
from himari.stack.network import cloud_note, peer, public_address, tunnel_address, tunnel_addresses

KEY = "wO5Y3hAqmFSh8Hc6TqQ1c0Yx1G1dUfFy8yqB0vM7vXo="


def test_edge_and_brain_get_addresses_in_the_files_order_and_the_exchange_none() -> None:
    assert tunnel_addresses(load_stack("lab-edge")) == {"edge": "10.77.0.1", "brain": "10.77.0.2"}


def test_only_the_end_behind_nat_calls_and_keeps_its_way_open() -> None:
    stack = load_stack("vps-brain")
    known = {name: KnownHost(address=stack.hosts[name].address, wireguard_public_key=KEY) for name in stack.hosts}
    edge, brain = peer(stack, known, "brain", "edge"), peer(stack, known, "edge", "brain")
    assert (edge.endpoint, edge.keepalive_seconds) == ("203.0.113.10:51820", 25)
    assert (brain.endpoint, brain.keepalive_seconds) == ("", 0)
    assert brain.public_key == KEY


def test_a_host_is_called_as_it_was_met_before_as_the_file_says() -> None:
    stack = load_stack("vps-brain")
    assert public_address(stack, {"edge": KnownHost(address="192.0.2.9")}, "edge") == "192.0.2.9"
    assert public_address(stack, {}, "edge") == "203.0.113.10"
    assert public_address(load_stack("lab-edge"), {}, "edge") == "edge"


def test_a_plan_says_what_it_cannot_price(good: str) -> None:
    cloud = '"vultr"\nplan = "vhf-2c-4gb"\nlocation = "nrt"'
    stack = parse_stack(good.replace('"static"\naddress = "203.0.113.10"', cloud, 1), "two.toml")
    assert "vultr" in (cloud_note(stack, "edge") or "")
    assert cloud_note(stack, "brain") is None


@given(st.integers(min_value=2, max_value=40), st.integers(min_value=16, max_value=26))
def test_addresses_are_distinct_and_inside_the_network(count: int, prefix: int) -> None:
    names = [f"h{number}" for number in range(count)]
    roles = [Role.EDGE, Role.BRAIN, Role.EXCHANGE]
    stack = Stack(
        stack=Header(name="many"),
        network=Network(wireguard=f"10.64.0.0/{prefix}"),
        venues={},
        hosts={name: Host(provider=Provider.LAB, roles=(roles[place % 3],)) for place, name in enumerate(names)},
    )
    given_out = tunnel_addresses(stack)
    assert len(set(given_out.values())) == len(given_out) == sum(place % 3 != 2 for place in range(count))
    network = ip_network(f"10.64.0.0/{prefix}")
    assert all(ip_address(tunnel_address(stack, name)) in network for name in given_out)
