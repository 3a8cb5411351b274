"""The REST calls that are made, their weights, and what their answers are journaled as."""

from enum import StrEnum

from himari_runtime.messages import Channel
from himari_runtime.venues.binance.symbols import to_venue
from himari_runtime.venues.dialect import Call, Priority

TOP_LEVELS = 20
LISTED_MOST = 200  # symbols in one address: servers refuse one of more than 8 KB
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


def snapshot(symbol: str, levels: int) -> Call:
    """A book of `levels` a side, to begin from."""
    return _depth(Endpoint.SNAPSHOT, symbol, levels, Priority.SNAPSHOT)


def book_poll(symbol: str) -> Call:
    """The top of a book, to compare with."""
    return _depth(Endpoint.BOOK_POLL, symbol, TOP_LEVELS, Priority.POLL)


def closed_kline(symbol: str, open_time_ms: int) -> Call:
    """The 1 min candle that opened at `open_time_ms`."""
    times = {"startTime": str(open_time_ms), "endTime": str(open_time_ms + 59_999)}
    query = {"symbol": to_venue(symbol), "interval": "1m", **times, "limit": "1"}
    return Call(Endpoint.KLINES, "/api/v3/klines", query, 2, Priority.POLL)


def exchange_info(symbols: tuple[str, ...]) -> list[Call]:
    """The rules of some symbols, in parts of LISTED_MOST."""
    names = [f'"{to_venue(symbol)}"' for symbol in symbols]
    parts = (",".join(names[at : at + LISTED_MOST]) for at in range(0, len(names), LISTED_MOST))
    queries = ({"symbols": f"[{part}]"} for part in parts)
    return [Call(Endpoint.EXCHANGE_INFO, "/api/v3/exchangeInfo", query, 20, Priority.POLL) for query in queries]


def historical_trades(symbol: str, from_id: int, most: int) -> Call:
    """At most `most` trades from `from_id` on."""
    query = {"symbol": to_venue(symbol), "fromId": str(from_id), "limit": str(min(most, PAGE_TRADES))}
    return Call(Endpoint.HISTORICAL_TRADES, "/api/v3/historicalTrades", query, 25, Priority.BACKFILL)


def server_time() -> Call:
    """The venue's clock; its answer is not journaled."""
    return Call("time", "/api/v3/time", {}, 1, Priority.CLOCK)


def _depth(endpoint: Endpoint, symbol: str, levels: int, priority: Priority) -> Call:
    weight = next(
        weight for most, weight in ((100, 5), (500, 25), (1000, 50), (5000, 250)) if min(levels, 5000) <= most
    )
    return Call(endpoint, "/api/v3/depth", {"symbol": to_venue(symbol), "limit": str(levels)}, weight, priority)
