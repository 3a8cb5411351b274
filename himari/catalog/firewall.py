"""What a host's firewall says, from the graph."""

from ipaddress import ip_network

import msgspec

from himari.catalog.component import View
from himari.catalog.links import Accepted, links
from himari.stack.model import Role
from himari.stack.network import operator_networks, public_address, tunnel_address, tunnel_addresses


class Accept(msgspec.Struct, frozen=True, kw_only=True):
    """New connections to `port` from `sources` (IPv4 addresses, or a name where none is known); none: from anywhere."""

    name: str
    protocol: str
    port: int
    sources: tuple[str, ...]
    tunnel: bool  # over wg0


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """All that the table's template needs."""

    whole_host: bool  # false: only what comes over wg0 is ours to judge
    tunnel: bool  # the host has a wg0
    calls: bool  # it opens connections over wg0
    accepts: tuple[Accept, ...]
    ssh_port: int
    ssh_from: tuple[str, ...]  # IPv4
    ssh_from6: tuple[str, ...]


def rules(view: View) -> Rules:
    """The rules of the view's host: accept what the graph asks for, and ssh from the stack's networks."""
    networks = [ip_network(network) for network in operator_networks(view.stack, view.known)]
    return Rules(
        whole_host=not view.host.existing,
        tunnel=view.host_name in tunnel_addresses(view.stack),
        calls=Role.BRAIN in view.host.roles,
        accepts=tuple(_accept(view, flow) for flow in links(view).accepted(view.host_name)),
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


def _sources(view: View, flow: Accepted) -> tuple[str, ...]:
    if flow.listener.protocol == "udp":
        return ()  # WireGuard tells its peers by their keys; one behind NAT has no address of its own
    if flow.tunnel:
        return tuple(tunnel_address(view.stack, caller) for caller in flow.callers)
    return tuple(public_address(view.stack, view.known, caller) for caller in flow.callers)
