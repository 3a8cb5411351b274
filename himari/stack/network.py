"""The stack's networks: which address a host has in the tunnel, how peers reach it, who must keep a NAT open."""

from ipaddress import IPv4Address, IPv4Network, summarize_address_range

import msgspec

from himari.stack.known import Known
from himari.stack.model import Provider, Role, Stack

# Labs take their own /24s out of this; no stack's tunnel may lie in it.
LAB_RANGE = tuple(summarize_address_range(IPv4Address("10.200.0.0"), IPv4Address("10.220.255.255")))

LOOPBACK = "127.0.0.1"

# Below the 30 s after which home routers and conntrack forget an idle UDP flow.
KEEPALIVE_SECONDS = 25


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """The other end of a tunnel, as one host sees it."""

    name: str
    address: str  # in the tunnel
    public_key: str  # empty until the host has made one
    endpoint: str  # host:port; empty: behind NAT, it calls us
    keepalive_seconds: int  # 0: none; only the end behind NAT keeps its own NAT open


def tunnel_addresses(stack: Stack) -> dict[str, str]:
    """The tunnel's address of each host that is in it, in the file's order, from .1.

    The file's rules have made sure that the network is large enough."""
    inside = [name for name, host in stack.hosts.items() if set(host.roles) - {Role.EXCHANGE}]
    network = IPv4Network(stack.network.wireguard)
    return {name: str(network.network_address + place) for place, name in enumerate(inside, start=1)}


def tunnel_address(stack: Stack, host_name: str) -> str:
    """The tunnel's address of `host_name`; KeyError for a host that is not in the tunnel."""
    return tunnel_addresses(stack)[host_name]


def behind_nat(stack: Stack, host_name: str) -> bool:
    """Whether the host cannot be called from outside: a brain stands at home."""
    return Role.BRAIN in stack.hosts[host_name].roles


def peer(stack: Stack, known: Known, here: str, there: str) -> Peer:
    """The host `there`, as the host `here` reaches it through the tunnel."""
    met = known.get(there)
    called = not behind_nat(stack, there)
    return Peer(
        name=there,
        address=tunnel_address(stack, there),
        public_key=met.wireguard_public_key if met else "",
        endpoint=f"{public_address(stack, known, there)}:{stack.network.wireguard_port}" if called else "",
        keepalive_seconds=KEEPALIVE_SECONDS if called and behind_nat(stack, here) else 0,
    )


def public_address(stack: Stack, known: Known, host_name: str) -> str:
    """Where the host is reached outside the tunnel: as it was met, else as the file says, else its name."""
    met = known.get(host_name)
    stated = met.address if met else stack.hosts[host_name].address
    return stated or host_name


def operator_networks(stack: Stack, known: Known) -> tuple[str, ...]:
    """The networks (CIDR) that ssh is accepted from: the stack file's and, in a lab, this machine's bridge."""
    in_lab = (met for name, met in known.items() if name in stack.hosts and stack.hosts[name].provider is Provider.LAB)
    bridges = (str(IPv4Network(f"{met.address}/24", strict=False).network_address + 1) for met in in_lab)
    return tuple(dict.fromkeys((*stack.access.ssh_from, *(f"{bridge}/32" for bridge in bridges))))


def is_address(text: str) -> bool:
    """Whether `text` is an IPv4 address rather than a name."""
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def cloud_note(stack: Stack, host_name: str) -> str | None:
    """Why a plan can neither create nor price this host; None when it can."""
    provider = stack.hosts[host_name].provider
    if provider in (Provider.LAB, Provider.STATIC):
        return None
    return f"{host_name}: hosts at {provider} cannot be created or priced yet: make it by hand and say provider static"
