"""Who peers with whom in the tunnel: hosts of which one has a component that talks to the other, and no others."""

from himari.catalog.component import View
from himari.catalog.links import links
from himari.stack.network import Peer, peer

# Its own flows follow from the peers.
_TUNNEL = frozenset({"wireguard"})


def peers(view: View) -> tuple[Peer, ...]:
    """The peers of the view's host."""
    near = links(view, without=_TUNNEL).neighbours(view.host_name)
    return tuple(peer(view.stack, view.known, view.host_name, name) for name in near)
