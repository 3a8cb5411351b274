"""What is tried between places, and what must come of it: the firewalls' and the buffer's rules seen from outside."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from himari.catalog.component import Feed
from himari.catalog.graph import OUTSIDE, Expect, Probe, probes
from himari.catalog.ports import REDIS, SSH
from himari.catalog.redis_buffer import READER
from himari.proof.question import Attempt
from himari.stack.known import Known
from himari.stack.model import Role, Stack
from himari.stack.network import tunnel_address, tunnel_addresses

CLOSED = ("timeout", "refused", "error")  # error: no route, or administratively prohibited
SILENT = ("timeout",)  # to a datagram: an ICMP error would tell a stranger that somebody is there
REJECTED = ("error",)  # at its source, before the other end has to refuse it


NOWHERE = "md:himari:_:probe"  # a stream that is not there; NOMKSTREAM keeps it so even if a write were allowed


class Crossing(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt from one place towards a host; `component` is the one whose rule is tried."""

    name: str
    says: str
    source: str  # a host of the stack, or OUTSIDE
    target: str
    component: str
    attempt: Attempt
    expected: tuple[str, ...]


def crossings(stack: Stack, known: Known, feed: Feed, *, truly_outside: bool) -> tuple[Crossing, ...]:
    """All of them. Unless the place outside is `truly_outside`, it is the operator's own machine, which ssh accepts."""
    reached = (probe for probe in probes(stack, known, feed) if truly_outside or not _operators(probe, stack))
    return (*(_connection(stack, probe) for probe in reached), *buffer_crossings(stack, known))


def _operators(probe: Probe, stack: Stack) -> bool:
    return probe.from_host == OUTSIDE and probe.port in (SSH, stack.hosts[probe.to_host].ssh_port)


def _connection(stack: Stack, probe: Probe) -> Crossing:
    way = "-tunnel" if probe.address in tunnel_addresses(stack).values() else ""
    name = f"{probe.from_host}-to-{probe.port}{way}"
    kind: Literal["connect", "datagram"] = "connect" if probe.protocol == "tcp" else "datagram"
    attempt = Attempt(id=f"{name}:{probe.to_host}", kind=kind, address=probe.address, port=probe.port)
    return Crossing(
        name=name,
        says=probe.says,
        source=probe.from_host,
        target=probe.to_host,
        component="nftables",
        attempt=attempt,
        expected=_expected(stack, probe, tunnel=bool(way)),
    )


def _expected(stack: Stack, probe: Probe, *, tunnel: bool) -> tuple[str, ...]:
    if probe.expect is Expect.OPEN:
        return ("open",)
    if tunnel and Role.BRAIN not in stack.hosts[probe.from_host].roles:
        return REJECTED
    return CLOSED if probe.protocol == "tcp" else SILENT


def buffer_crossings(stack: Stack, known: Known) -> Iterator[Crossing]:
    """Nobody asks the buffer without a name, and the brain's user reads but cannot write."""
    for edge in stack.hosts_with(Role.EDGE):
        address = tunnel_address(stack, edge)
        yield _anonymous(edge, edge, "127.0.0.1")
        for brain in stack.hosts_with(Role.BRAIN):
            yield _anonymous(brain, edge, address)
            yield _reader(brain, edge, address, "writes", ("XADD", NOWHERE, "NOMKSTREAM", "*", "probe", "1"))
            yield _reader(brain, edge, address, "reads", ("XLEN", NOWHERE))


def _anonymous(source: str, edge: str, address: str) -> Crossing:
    name = f"anonymous-from-{source}"
    return Crossing(
        name=name,
        says=f"the buffer of {edge} refuses {source} without a login",
        source=source,
        target=edge,
        component="redis_buffer",
        attempt=Attempt(id=f"{name}:{edge}", kind="redis", address=address, port=REDIS, words=("PING",)),
        expected=("denied",),
    )


def _reader(source: str, edge: str, address: str, verb: str, words: tuple[str, ...]) -> Crossing:
    name, may = f"reader-{verb}-from-{source}", verb == "reads"
    attempt = Attempt(
        id=f"{name}:{edge}",
        kind="redis",
        address=address,
        port=REDIS,
        user="reader",
        credential=READER,
        words=words,
    )
    return Crossing(
        name=name,
        says=f"{source} {'can read' if may else 'cannot write to'} the buffer of {edge}",
        source=source,
        target=edge,
        component="redis_buffer",
        attempt=attempt,
        expected=("allowed",) if may else ("denied",),
    )
