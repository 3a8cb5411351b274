"""What a host's firewall says, from the graph."""

from ipaddress import ip_network

import msgspec

from himari.catalog.component import View
from himari.catalog.links import Accepted, Opened, links
from himari.stack.model import Role
from himari.stack.network import operator_networks, public_address, tunnel_address, tunnel_addresses


class Accept(msgspec.Struct, frozen=True, kw_only=True):
    """New connections to `port` from `sources` (IPv4 addresses, or a name where none is known); none: from anywhere."""

    name: str
    protocol: str
    port: int
    sources: tuple[str, ...]
    tunnel: bool  # over wg0


class Dial(msgspec.Struct, frozen=True, kw_only=True):
    """New connections over wg0 to `port` of `targets` (addresses in the tunnel)."""

    name: str
    protocol: str
    port: int
    targets: tuple[str, ...]


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """All that the table's template needs."""

    whole_host: bool  # false: only what comes over wg0 is ours to judge
    tunnel: bool  # the host has a wg0
    network: str  # the tunnel's (CIDR): what is for one of its addresses leaves by wg0 or not at all
    calls: bool  # it is the operator's own end of wg0, and may open any connection there
    dials: tuple[Dial, ...]  # those that another host may open there
    accepts: tuple[Accept, ...]
    ssh_port: int
    ssh_from: tuple[str, ...]  # IPv4
    ssh_from6: tuple[str, ...]


def rules(view: View) -> Rules:
    """The rules of the view's host: accept what the graph asks for, and ssh from the stack's networks."""
    networks = [ip_network(network) for network in operator_networks(view.stack, view.known)]
    graph, calls = links(view), Role.BRAIN in view.host.roles
    return Rules(
        whole_host=not view.host.existing,
        tunnel=view.host_name in tunnel_addresses(view.stack),
        network=view.stack.network.wireguard,
        calls=calls,
        dials=() if calls else tuple(_dial(view, flow) for flow in graph.opened(view.host_name)),
        accepts=tuple(_accept(view, flow) for flow in graph.accepted(view.host_name)),
        ssh_port=view.host.ssh_port,
        ssh_from=tuple(str(network) for network in networks if network.version == 4),
        ssh_from6=tuple(str(network) for network in networks if network.version == 6),
    )


def _accept(view: View, flow: Accepted) -> Accept:
    listener = flow.listener
    return Accept(
        name=listener.name,
        protocol=listener.protocol,
        port=listener.port,
        sources=_sources(view, flow),
        tunnel=flow.tunnel,
    )


def _dial(view: View, flow: Opened) -> Dial:
    listener = flow.listener
    return Dial(
        name=listener.name,
        protocol=listener.protocol,
        port=listener.port,
        targets=tuple(tunnel_address(view.stack, target) for target in flow.targets),
    )


def _sources(view: View, flow: Accepted) -> tuple[str, ...]:
    if flow.listener.protocol == "udp":
        return ()  # WireGuard tells its peers by their keys; one behind NAT has no address of its own
    if flow.tunnel:
        return tuple(tunnel_address(view.stack, caller) for caller in flow.callers)
    return tuple(public_address(view.stack, view.known, caller) for caller in flow.callers)
