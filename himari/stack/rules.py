"""What a stack file may not say although each of its values is well-formed."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path

import msgspec

from himari.stack.model import IN_VAULT, LINE_HOURS_MOST, Host, Provider, Role, Stack
from himari.stack.nearest import did_you_mean
from himari.stack.network import LAB_RANGE, tunnel_addresses

VENUES = ("binance",)
_SYMBOL = re.compile(r"[A-Z0-9]{1,12}/[A-Z0-9]{1,12}")
_SIZES = ("cpus", "memory_mb", "disk_gb")
_ALONE = frozenset({Role.EXCHANGE, Role.EDGE, Role.BRAIN})  # the others may share a host


class Problem(msgspec.Struct, frozen=True):
    """One thing that cannot be meant: the key, what is wrong, what was expected, what to do."""

    key: str
    what: str
    expected: str = ""
    hint: str = ""


def problems(stack: Stack) -> Iterator[Problem]:
    """All problems of `stack`, those of the whole file first."""
    for rule in RULES:
        yield from rule(stack)
    for name, host in stack.hosts.items():
        for host_rule in HOST_RULES:
            yield from host_rule(f"hosts.{name}", host)


def _some_host(stack: Stack) -> Iterator[Problem]:
    if not stack.hosts:
        yield Problem("hosts", "there is no host", "[hosts.edge] and [hosts.brain]", "himari schema shows an example")


def _lab_or_not(stack: Stack) -> Iterator[Problem]:
    others = [name for name, host in stack.hosts.items() if host.provider is not Provider.LAB]
    if stack.is_lab and others:
        yield Problem(
            f"hosts.{others[0]}.provider",
            f"{stack.hosts[others[0]].provider} beside hosts of a lab",
            "lab for all hosts, or for none",
        )


def _tunnel(stack: Stack) -> Iterator[Problem]:
    key = "network.wireguard"
    network = _network(stack.network.wireguard)
    if not isinstance(network, IPv4Network):
        yield Problem(
            key, f"{stack.network.wireguard!r} is no IPv4 network", 'a CIDR without host bits: "10.77.0.0/24"'
        )
        return
    if network.num_addresses - 2 < len(tunnel_addresses(stack)):
        yield Problem(key, f"{network} has too few addresses for the hosts", f"{len(tunnel_addresses(stack))} or more")
    for other_key, other in _other_networks(stack):
        if isinstance(other, IPv4Network) and other.prefixlen and network.overlaps(other):
            yield Problem(key, f"{network} overlaps {other} ({other_key})", "networks that share no address")


def _other_networks(stack: Stack) -> Iterator[tuple[str, IPv4Network | IPv6Network | None]]:
    yield from (("labs take theirs from it", network) for network in LAB_RANGE)
    for place, text in enumerate(stack.access.ssh_from):
        yield f"access.ssh_from[{place}]", _network(text)
    for name, host in stack.hosts.items():
        yield f"hosts.{name}.address", _network(host.address)


def _mtu(stack: Stack) -> Iterator[Problem]:
    if not 1280 <= stack.network.mtu <= 8920:
        yield Problem("network.mtu", f"{stack.network.mtu} cannot be a tunnel's", "1280 to 8920; 1420 on most paths")


def _ssh_from(stack: Stack) -> Iterator[Problem]:
    for place, text in enumerate(stack.access.ssh_from):
        if _network(text) is None:
            yield Problem(f"access.ssh_from[{place}]", f"{text!r} is no network", 'a CIDR: "198.51.100.7/32"')
    remote = [name for name, host in stack.hosts.items() if host.provider is not Provider.LAB and not host.existing]
    if remote and not stack.access.ssh_from:
        yield Problem(
            "access.ssh_from",
            f"nobody could log in to {remote[0]} once its firewall is up",
            "the networks that you log in from",
            'your own address: ssh_from = ["198.51.100.7/32"]',
        )


def _addresses(stack: Stack) -> Iterator[Problem]:
    count = Counter(host.address for host in stack.hosts.values() if host.address)
    for name, host in stack.hosts.items():
        if count[host.address] > 1:
            yield Problem(f"hosts.{name}.address", f"{host.address} is given to more than one host", "one host each")


def _flow_ends(stack: Stack) -> Iterator[Problem]:
    edges, brains = stack.hosts_with(Role.EDGE), stack.hosts_with(Role.BRAIN)
    if not stack.venues:
        yield Problem("venues", "there is nothing to collect", "[venues.binance]", "himari schema shows an example")
    for role, hosts in ((Role.EDGE, edges), (Role.BRAIN, brains)):
        if stack.venues and not hosts:
            yield Problem("hosts", f"no host has the role {role}", f'a host with roles = ["{role}"]')
    for surplus in edges[1:]:
        yield Problem(f"hosts.{surplus}.roles", "a second edge: a brain reads one", "one host with the role edge")
    for surplus in stack.hosts_with(Role.BROKER)[1:]:
        yield Problem(
            f"hosts.{surplus}.roles", "a second broker: one holds all topics", "one host with the role broker"
        )


def _venues(stack: Stack) -> Iterator[Problem]:
    for name in stack.venues:
        if name not in VENUES:
            yield Problem(f"venues.{name}", f"no such venue: {name}", " or ".join(VENUES), did_you_mean(name, VENUES))
    for name in list(stack.venues)[1:]:
        yield Problem(f"venues.{name}", "a second venue: an edge collects one", "one table below [venues]")


def _symbols(stack: Stack) -> Iterator[Problem]:
    for name, venue in stack.venues.items():
        key = f"venues.{name}.symbols"
        if not venue.symbols:
            yield Problem(key, "there is no symbol", '["BTC/USDT"]')
        for symbol, count in Counter(venue.symbols).items():
            if not _SYMBOL.fullmatch(symbol):
                yield Problem(key, f"{symbol!r} is no unified symbol", 'BASE/QUOTE in capitals: "BTC/USDT"')
            if count > 1:
                yield Problem(key, f"{symbol} is named {count} times", "each symbol once")


def _lines(stack: Stack) -> Iterator[Problem]:
    for name, venue in stack.venues.items():
        if venue.line_hours > LINE_HOURS_MOST:
            yield Problem(
                f"venues.{name}.line_hours",
                f"{venue.line_hours:g} leaves no time for a line's successor: the venue cuts it at 24",
                f"{LINE_HOURS_MOST} or less",
                "a line is replaced without a gap only while it still brings what comes",
            )


def _urls(stack: Stack) -> Iterator[Problem]:
    for name, venue in stack.venues.items():
        for field, scheme in (("websocket_url", "wss"), ("rest_url", "https")):
            url = getattr(venue, field)
            if url and not re.fullmatch(rf"{scheme}://[^/\s]+(/\S*)?", url):
                yield Problem(f"venues.{name}.{field}", f"{url!r} is no such URL", f"{scheme}://HOST:PORT or nothing")
        if bool(venue.websocket_url) != bool(venue.rest_url):
            missing = "rest_url" if venue.websocket_url else "websocket_url"
            hint = "a book joins what both say, so both must be of one place"
            yield Problem(f"venues.{name}.{missing}", "one URL of the venue's two", "both or none", hint)
        if venue.ca_file and not Path(venue.ca_file).expanduser().is_file():
            yield Problem(f"venues.{name}.ca_file", f"{venue.ca_file} is no file on this machine", "a PEM file")


def _webhook(stack: Stack) -> Iterator[Problem]:
    said = stack.alerts.webhook
    if said not in ("", IN_VAULT) and not re.match(r"https?://[^/\s]", said):
        yield Problem("alerts.webhook", f"{said!r} is no URL", f'https://..., "{IN_VAULT}" or nothing')


def _roles(key: str, host: Host) -> Iterator[Problem]:
    if not host.roles:
        yield Problem(f"{key}.roles", "the host has no role", " or ".join(Role))
    if len(host.roles) > 1 and _ALONE & set(host.roles):
        alone = ", ".join(sorted(_ALONE & set(host.roles)))
        yield Problem(f"{key}.roles", "roles on one host that must not see each other", f"{alone}: one role a host")
    if Role.EXCHANGE in host.roles and host.provider is not Provider.LAB:
        yield Problem(f"{key}.roles", "a simulated exchange outside a lab", 'provider = "lab", or another role')


def _address(key: str, host: Host) -> Iterator[Problem]:
    if host.provider is Provider.STATIC and not host.address:
        yield Problem(f"{key}.address", "a static host needs one", 'a name, an IP address, or "local"')
    if host.provider is not Provider.STATIC and host.address:
        yield Problem(
            f"{key}.address", f"hosts of {host.provider} are given theirs", 'no address, or provider = "static"'
        )
    if host.address == "local" and Role.EDGE in host.roles:
        expected = "an address at which the brain reaches it"
        yield Problem(f"{key}.address", "an edge on this machine: no brain can call it", expected)


def _sizes(key: str, host: Host) -> Iterator[Problem]:
    own = host.provider in (Provider.LAB, Provider.STATIC)
    missing = [size for size in _SIZES if getattr(host, size) is None]
    if own and missing:
        yield Problem(f"{key}.{missing[0]}", f"missing: {', '.join(missing)}", "the machine's CPUs, memory and disk")
    for field in ("plan", "location"):
        if not own and not getattr(host, field):
            yield Problem(
                f"{key}.{field}", f"a host at {host.provider} needs one", f"the name {host.provider} gives it"
            )


def _existing(key: str, host: Host) -> Iterator[Problem]:
    if host.existing and (host.provider is not Provider.STATIC or set(host.roles) != {Role.BRAIN}):
        yield Problem(f"{key}.existing", "only a static brain can be a machine of yours", "existing = false")


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text) if "/" in text else ip_network(ip_address(text))
    except ValueError:
        return None


RULES: tuple[Callable[[Stack], Iterator[Problem]], ...] = (
    _some_host,
    _lab_or_not,
    _tunnel,
    _mtu,
    _ssh_from,
    _addresses,
    _flow_ends,
    _venues,
    _symbols,
    _lines,
    _urls,
    _webhook,
)
HOST_RULES: tuple[Callable[[str, Host], Iterator[Problem]], ...] = (_roles, _address, _sizes, _existing)
