"""The private ports of a stack's hosts, and the way to one of them from this machine."""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from himari.catalog.component import Listener, Place, View
from himari.catalog.links import links
from himari.ssh.connection import reach
from himari.ssh.forward import Door, forwarded
from himari.stack.errors import StackFileError
from himari.stack.known import Known, read_known
from himari.stack.model import Stack
from himari.stack.nearest import did_you_mean
from himari.stack.network import LOOPBACK, tunnel_address
from himari.stack.paths import StateDir


class Private(msgspec.Struct, frozen=True, kw_only=True):
    """A port that a host shows to the stack's own hosts, or to itself, and to nobody else."""

    host: str
    service: str
    address: str  # as the host itself reaches it
    port: int


def privates(stack: Stack, known: Known) -> tuple[Private, ...]:
    """All of them, host by host."""
    graph = links(View(stack=stack, host_name=next(iter(stack.hosts)), known=known))
    return tuple(
        Private(host=host, service=one.name, address=_address(stack, host, one), port=one.port)
        for host in stack.hosts
        for one in {listener.name: listener for listener in graph.listeners(host)}.values()
        if one.place is not Place.PUBLIC and one.protocol == "tcp"
    )


def private(stack: Stack, known: Known, service: str, host: str = "") -> Private:
    """The port of `service`, on `host` where several have it. Raises StackFileError for what there is not."""
    every = privates(stack, known)
    found = [one for one in every if one.service == service and host in ("", one.host)]
    if len(found) == 1:
        return found[0]
    if found:
        hosts = ", ".join(one.host for one in found)
        raise StackFileError(f"several hosts have {service}", stack.name, f"one of {hosts}", f"--host {found[0].host}")
    names = tuple(dict.fromkeys(one.service for one in every if host in ("", one.host)))
    what = f"{host or 'no host'} has {'no ' if host else ''}service {service!r}"
    raise StackFileError(what, stack.name, ", ".join(names) or "a host of the stack", did_you_mean(service, names))


@contextmanager
def opened(stack: Stack, service: str, host: str = "", local_port: int = 0) -> Iterator[tuple[Private, Door]]:
    """The way to that port while the block lasts; see `himari.ssh.forward.forwarded`. Raises as `private` does too."""
    state = StateDir.of(stack.name)
    known = read_known(state.hosts)
    wanted = private(stack, known, service, host)
    way = forwarded(reach(wanted.host, known, state), wanted.address, wanted.port, local_port=local_port)
    with way as door:
        yield wanted, door


def _address(stack: Stack, host: str, listener: Listener) -> str:
    return LOOPBACK if listener.place is Place.LOOPBACK else tunnel_address(stack, host)
