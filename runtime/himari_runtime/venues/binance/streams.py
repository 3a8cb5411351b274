"""What is subscribed to, how the address of a line reads, and what the venue allows."""

from functools import lru_cache
from typing import NamedTuple

from himari_runtime.messages import Channel
from himari_runtime.venues.binance.symbols import to_unified, to_venue

SUFFIXES = {
    "trade": Channel.TRADE,
    "depth@100ms": Channel.DEPTH,
    "depth": Channel.DEPTH,
    "bookTicker": Channel.BOOK_TICKER,
}
SUBSCRIBED = ("trade", "depth@100ms", "bookTicker")

STREAMS_MOST = 1024  # a connection
CONNECTIONS_MOST = 300  # in CONNECTIONS_SECONDS, per address
CONNECTIONS_SECONDS = 300.0
IDLE_SECONDS = 60.0  # the venue pings every 20 s: three missing are a dead line


class Subscription(NamedTuple):
    """What a stream's name says."""

    venue_symbol: str
    symbol: str
    channel: Channel


def names(symbols: tuple[str, ...]) -> list[str]:
    """Stream names for unified symbols. Raises ValueError for an unknown symbol, or more than a line may carry."""
    found = [f"{to_venue(symbol).lower()}@{suffix}" for symbol in symbols for suffix in SUBSCRIBED]
    if len(found) > STREAMS_MOST:
        raise ValueError(f"{len(symbols)} symbols: a line carries {STREAMS_MOST // len(SUBSCRIBED)} at most")
    return found


def line_url(base: str, symbols: tuple[str, ...]) -> str:
    """The address that subscribes by itself, so that no message has to be sent."""
    return f"{base.rstrip('/')}/stream?streams={'/'.join(names(symbols))}"


@lru_cache(maxsize=8192)
def parse(name: str) -> Subscription | None:
    """`btcusdt@trade` -> its symbol and channel; None for a stream that is not one of ours."""
    start, _, suffix = name.partition("@")
    symbol = to_unified(start.upper())
    channel = SUFFIXES.get(suffix)
    if symbol is None or channel is None or start != start.lower():
        return None
    return Subscription(start.upper(), symbol, channel)
