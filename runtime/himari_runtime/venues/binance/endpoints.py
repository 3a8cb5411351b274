"""The REST calls that are made, their weights, and what their answers are journaled as."""

from enum import StrEnum
from typing import NamedTuple

from himari_runtime.messages import Channel

TOP_LEVELS = 20
PAGE_TRADES = 1000  # the most that one historicalTrades answer holds


class Endpoint(StrEnum):
    """`Rest.endpoint`: the call, and for the book also what it is for."""

    SNAPSHOT = "depth"
    BOOK_POLL = "depth/poll"
    KLINES = "klines"
    EXCHANGE_INFO = "exchangeInfo"
    HISTORICAL_TRADES = "historicalTrades"


CHANNELS = {
    Endpoint.SNAPSHOT: Channel.SNAPSHOT,
    Endpoint.BOOK_POLL: Channel.BOOK_POLL,
    Endpoint.KLINES: Channel.KLINE,
    Endpoint.EXCHANGE_INFO: Channel.EXCHANGE_INFO,
    Endpoint.HISTORICAL_TRADES: Channel.BACKFILL,
}


class Call(NamedTuple):
    """A request: path, query and what it weighs on the venue's budget."""

    path: str
    query: dict[str, str]
    weight: int


def depth(venue_symbol: str, levels: int) -> Call:
    """A book of `levels` a side."""
    weight = next(
        weight for most, weight in ((100, 5), (500, 25), (1000, 50), (5000, 250)) if min(levels, 5000) <= most
    )
    return Call("/api/v3/depth", {"symbol": venue_symbol, "limit": str(levels)}, weight)


def closed_kline(venue_symbol: str, open_time_ms: int) -> Call:
    """The 1 min candle that opened at `open_time_ms`."""
    times = {"startTime": str(open_time_ms), "endTime": str(open_time_ms + 59_999)}
    return Call("/api/v3/klines", {"symbol": venue_symbol, "interval": "1m", **times, "limit": "1"}, 2)


def exchange_info(venue_symbols: list[str]) -> Call:
    """The rules of some symbols."""
    listed = ",".join(f'"{symbol}"' for symbol in venue_symbols)
    return Call("/api/v3/exchangeInfo", {"symbols": f"[{listed}]"}, 20)


def historical_trades(venue_symbol: str, from_id: int, most: int) -> Call:
    """At most `most` trades from `from_id` on."""
    query = {"symbol": venue_symbol, "fromId": str(from_id), "limit": str(min(most, PAGE_TRADES))}
    return Call("/api/v3/historicalTrades", query, 25)


def server_time() -> Call:
    """The venue's clock."""
    return Call("/api/v3/time", {}, 1)
