"""Where a venue is reached: its own servers, those that the stack file names, or the lab's exchange."""

from collections.abc import Mapping

import msgspec

from himari.catalog import ports
from himari.catalog.component import View
from himari.stack.model import Role, Venue


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The URLs of a venue, and the weight of requests that it grants a minute."""

    websocket_url: str
    rest_url: str
    weight_per_minute: int


LIVE: Mapping[str, Endpoint] = {
    "binance": Endpoint(
        websocket_url="wss://stream.binance.com:9443", rest_url="https://api.binance.com", weight_per_minute=6000
    )
}


def exchange_host(view: View) -> str:
    """The host that plays the venue; empty when the venue is the real one."""
    hosts = view.stack.hosts_with(Role.EXCHANGE)
    return "" if view.feed.live or not hosts else hosts[0]


def endpoint(view: View, venue: str) -> Endpoint:
    """The URLs that the collector uses; the exchange is called by its name, which its certificate carries."""
    host = exchange_host(view)
    if not host:
        return _stated(view.stack.venues[venue], LIVE[venue])
    weight = LIVE[venue].weight_per_minute
    place = f"{host}:{ports.VENUE}"
    return Endpoint(websocket_url=f"wss://{place}", rest_url=f"https://{place}", weight_per_minute=weight)


def _stated(venue: Venue, live: Endpoint) -> Endpoint:
    """The venue's own servers, or those that the stack file names in their place."""
    return msgspec.structs.replace(
        live, websocket_url=venue.websocket_url or live.websocket_url, rest_url=venue.rest_url or live.rest_url
    )
