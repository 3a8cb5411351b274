"""The off-host probes: each listener answers those who talk to it and nobody else, and nothing flows backward."""

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from himari.catalog import ports
from himari.catalog.component import Feed, Listener, Place, View
from himari.catalog.links import Links, in_tunnel
from himari.catalog.links import links as links_of
from himari.stack.known import Known
from himari.stack.model import Stack
from himari.stack.network import behind_nat, public_address, tunnel_addresses

OUTSIDE = "outside"


class Expect(StrEnum):
    """What a probe must meet."""

    OPEN = "open"
    REFUSED = "refused"  # a reset, an ICMP error or no answer at all


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One connection to try from a host, or from outside the stack; over UDP one datagram from somebody unknown."""

    from_host: str
    to_host: str
    address: str
    port: int
    protocol: str
    expect: Expect
    says: str


def probes(stack: Stack, known: Known, feed: Feed | None = None) -> tuple[Probe, ...]:
    """All off-host probes of the stack; none that would need the public address of the user's own machine."""
    if not stack.hosts:
        return ()
    links = links_of(View(stack=stack, host_name=next(iter(stack.hosts)), known=known, feed=feed or Feed()))
    found = (probe for name in stack.hosts for probe in (*_strangers(links, name), *_inside(links, name)))
    return tuple(dict.fromkeys(found))


def listeners(view: View) -> tuple[Listener, ...]:
    """All that the view's host may listen on."""
    return links_of(view).listeners(view.host_name)


def _strangers(links: Links, host: str) -> Iterator[Probe]:
    """From outside the stack, every port of the host is closed."""
    if links.view.stack.hosts[host].existing:
        return
    for listener in links.ports(host):
        if not _open_to_strangers(links, listener):
            yield _probe(OUTSIDE, host, _public(links, host), listener, Expect.REFUSED)


def _inside(links: Links, host: str) -> Iterator[Probe]:
    """From the stack's other hosts, those ports are open that their components talk to."""
    tunnel = tunnel_addresses(links.view.stack)
    for other in links.parts:
        if other == host:
            continue
        if host in tunnel and other in tunnel:
            for listener in (*_tunnelled(links, host), _UNUSED):
                yield _expected(links, other, host, tunnel[host], listener)
        if not links.view.stack.hosts[host].existing:
            for listener in _publicly(links, host, tunnelled=other in tunnel):
                yield _expected(links, other, host, _public(links, host), listener)


_UNUSED = Listener(name="any other port", port=ports.UNUSED, place=Place.WIREGUARD)


def _tunnelled(links: Links, host: str) -> Iterator[Listener]:
    """What is to be tried over the tunnel: the listeners there, and a brain's ssh even where it is not ours."""
    yield from (listener for listener in links.ports(host) if in_tunnel(listener))
    if behind_nat(links.view.stack, host):
        yield Listener(name="ssh", port=links.view.stack.hosts[host].ssh_port, place=Place.PUBLIC, process="sshd")


def _publicly(links: Links, host: str, *, tunnelled: bool) -> Iterator[Listener]:
    """What is to be tried at the host's own address: the venue, and for hosts out of the tunnel what is inside it."""
    for listener in links.ports(host):
        if listener.protocol == "tcp" and (listener.place is Place.PUBLIC or not tunnelled) and listener.name != "ssh":
            yield listener


def _expected(links: Links, caller: str, host: str, address: str, listener: Listener) -> Probe:
    allowed = caller in links.callers(host, listener) and listener.place is not Place.LOOPBACK
    return _probe(caller, host, address, listener, Expect.OPEN if allowed else Expect.REFUSED)


def _probe(caller: str, host: str, address: str, listener: Listener, expect: Expect) -> Probe:
    verb = "answers" if expect is Expect.OPEN else "refuses" if listener.protocol == "tcp" else "is silent towards"
    return Probe(
        from_host=caller,
        to_host=host,
        address=address,
        port=listener.port,
        protocol=listener.protocol,
        expect=expect,
        says=f"{host} {verb} {caller} on {listener.name} ({listener.port}/{listener.protocol})",
    )


def _open_to_strangers(links: Links, listener: Listener) -> bool:
    networks = links.view.stack.access.ssh_from
    return listener.name == "ssh" and any(network.endswith("/0") for network in networks)


def _public(links: Links, host: str) -> str:
    return public_address(links.view.stack, links.view.known, host)
