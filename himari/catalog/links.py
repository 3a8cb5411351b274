"""Who talks to whom, from what the components listen on and talk to: the flows that a host accepts and opens, the ports
that it may listen on, its peers in the tunnel. The probes that prove it are `himari.catalog.graph`'s."""

from collections.abc import Iterator, Mapping

import msgspec

from himari.catalog.component import Component, Listener, Place, View
from himari.catalog.host import components

# The firewall is what follows from the graph, the self-check from all of a host: they are no part of it.
_DERIVED = frozenset({"nftables", "self_check"})
# Components whose own values ask for it: each asks without all of them, so that no two wait for one another.
ASKING = frozenset({"wireguard", "postgresql"})
_WIDTH = {Place.LOOPBACK: 0, Place.WIREGUARD: 1, Place.PUBLIC: 2}


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """A flow into a host: to `listener`, from `callers`."""

    listener: Listener
    tunnel: bool  # over wg0
    callers: tuple[str, ...]


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A flow out of a host over wg0: to `listener` of `targets`."""

    listener: Listener
    targets: tuple[str, ...]


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """The hosts' components, and what follows from them."""

    view: View  # of any host: the stack and what is known
    parts: Mapping[str, tuple[Component, ...]]

    def listeners(self, host: str) -> tuple[Listener, ...]:
        """All that `host` may listen on."""
        return tuple(listener for part in self.parts[host] for listener in part.listens_on)

    def ports(self, host: str) -> tuple[Listener, ...]:
        """One listener for each name: the widest of those that are bound in several places."""
        widest: dict[str, Listener] = {}
        for listener in sorted(self.listeners(host), key=lambda listener: _WIDTH[listener.place]):
            widest[listener.name] = listener
        return tuple(widest.values())

    def callers(self, host: str, listener: Listener) -> tuple[str, ...]:
        """The other hosts that have a component which talks to `listener` of `host`."""
        return tuple(name for name in self.parts if name != host and self._talks(name, host, listener))

    def accepted(self, host: str) -> tuple[Accepted, ...]:
        """The flows into `host` that components ask for; ssh's operators outside the tunnel are not among them."""
        return tuple(self._accepted(host))

    def opened(self, host: str) -> tuple[Opened, ...]:
        """The flows over wg0 that components of `host` open, by what they reach."""
        targets: dict[tuple[str, int], tuple[Listener, list[str]]] = {}
        for target in self.parts:
            for listener in self._dialled(host, target):
                targets.setdefault((listener.name, listener.port), (listener, []))[1].append(target)
        return tuple(Opened(listener=listener, targets=tuple(names)) for listener, names in targets.values())

    def neighbours(self, host: str) -> tuple[str, ...]:
        """The hosts that `host` talks to over wg0, or that talk to it."""
        pairs = ((other, (*self._dialled(host, other), *self._dialled(other, host))) for other in self.parts)
        return tuple(other for other, flows in pairs if flows)

    def _dialled(self, caller: str, host: str) -> tuple[Listener, ...]:
        ports = self.ports(host) if caller != host else ()
        return tuple(port for port in ports if in_tunnel(port) and self._talks(caller, host, port))

    def _accepted(self, host: str) -> Iterator[Accepted]:
        for listener in self.ports(host):
            callers = self.callers(host, listener)
            if callers and listener.place is not Place.LOOPBACK:
                yield Accepted(listener=listener, tunnel=in_tunnel(listener), callers=callers)

    def _talks(self, caller: str, host: str, listener: Listener) -> bool:
        flows = (flow for part in self.parts[caller] for flow in part.talks_to)
        roles = self.view.stack.hosts[host].roles
        return any(flow.listener == listener.name and flow.role in roles for flow in flows)


def links(view: View, without: frozenset[str] = frozenset()) -> Links:
    """The links within the view's whole stack, as far as components other than those in `without` ask for them."""
    replace, left_out = msgspec.structs.replace, _DERIVED | without
    parts = {name: components(replace(view, host_name=name), without=left_out) for name in view.stack.hosts}
    return Links(view=view, parts={name: tuple(part for _, part in held) for name, held in parts.items()})


def in_tunnel(listener: Listener) -> bool:
    """Whether the stack's hosts reach `listener` over wg0; ssh is bound everywhere, for operators."""
    return listener.place is Place.WIREGUARD or listener.name == "ssh"
