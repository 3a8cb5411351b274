"""What is subscribed to, how the address of a line reads, and what the venue allows."""

from functools import lru_cache
from math import ceil
from typing import NamedTuple

import msgspec

from himari_runtime.messages import Channel, stream_of
from himari_runtime.venues.binance.symbols import to_unified, to_venue

VENUE = "binance"
SUFFIXES = {
    "trade": Channel.TRADE,
    "depth@100ms": Channel.DEPTH,
    "depth": Channel.DEPTH,
    "bookTicker": Channel.BOOK_TICKER,
}
SUBSCRIBED = ("trade", "depth@100ms", "bookTicker")

STREAMS_MOST = 1024  # a connection
NAMES_MOST = 200  # a request, which so stays well below the frame size that intermediaries let pass
REQUEST_SECONDS = 0.25  # the venue hangs up beyond 5 messages a second, pongs among them
CONNECTIONS_MOST = 300  # in CONNECTIONS_SECONDS, per address
CONNECTIONS_SECONDS = 300.0
IDLE_SECONDS = 60.0  # the venue pings every 20 s: three missing are a dead line


class Subscription(NamedTuple):
    """What a stream's name says."""

    venue_symbol: str
    symbol: str
    channel: Channel
    stream: str  # of the buffer


def shards(symbols: tuple[str, ...]) -> list[tuple[str, ...]]:
    """As few lines as the venue's limit on streams allows, evenly filled."""
    most = STREAMS_MOST // len(SUBSCRIBED)
    size = ceil(len(symbols) / ceil(len(symbols) / most))
    return [symbols[at : at + size] for at in range(0, len(symbols), size)]


def line_url(base: str) -> str:
    """Where streams come in a wrapper that names them."""
    return f"{base.rstrip('/')}/stream"


def subscriptions(symbols: tuple[str, ...]) -> tuple[bytes, ...]:
    """The requests that subscribe everything of unified symbols. Raises ValueError for an unknown symbol."""
    names = [f"{to_venue(symbol).lower()}@{suffix}" for symbol in symbols for suffix in SUBSCRIBED]
    return tuple(
        msgspec.json.encode({"method": "SUBSCRIBE", "params": params, "id": number})
        for number, params in enumerate((names[at : at + NAMES_MOST] for at in range(0, len(names), NAMES_MOST)), 1)
    )


@lru_cache(maxsize=8192)
def parse(name: str) -> Subscription | None:
    """`btcusdt@trade` -> its symbol and channel; None for a stream that is not one of ours."""
    start, _, suffix = name.partition("@")
    symbol = to_unified(start.upper())
    channel = SUFFIXES.get(suffix)
    if symbol is None or channel is None or start != start.lower():
        return None
    return Subscription(start.upper(), symbol, channel, stream_of(VENUE, symbol, channel))
