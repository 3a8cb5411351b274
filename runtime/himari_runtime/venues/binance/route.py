"""Where a record belongs, from its payload alone. Whatever cannot be read goes to `unparsed`; nothing here raises."""

from collections.abc import Callable

import msgspec

from himari_runtime.messages import Channel, Gap, Kind, Record, Rest, Resync, Route, meta_stream
from himari_runtime.venues.binance import wire
from himari_runtime.venues.binance.endpoints import CHANNELS, Endpoint
from himari_runtime.venues.binance.streams import Subscription, parse

VENUE = "binance"
META = meta_stream(VENUE)
UNPARSED = Route(META, "_", Channel.UNPARSED)
TRADES = {Channel.TRADE, Channel.BACKFILL, Channel.KLINE}
PLAIN: dict[int, Route] = {
    Kind.HEARTBEAT: Route(META, "_", Channel.HEARTBEAT),
    Kind.EPOCH: Route(META, "_", Channel.EPOCH),
}

_combined = msgspec.json.Decoder(wire.Combined)
_trade = msgspec.json.Decoder(wire.Trade)
_depth = msgspec.json.Decoder(wire.DepthRange)
_ticker = msgspec.json.Decoder(wire.BookTicker)
_rest = msgspec.json.Decoder(Rest)
_book = msgspec.json.Decoder(wire.Depth)
_trade_ids = msgspec.json.Decoder(list[wire.TradeId])
_gap = msgspec.json.Decoder(Gap)
_resync = msgspec.json.Decoder(Resync)


def route(record: Record) -> Route:
    """Stream, symbol, channel and the venue's ids of `record`."""
    known = PLAIN.get(record.kind)
    if known is not None:
        return known
    reader = READERS.get(record.kind)
    if reader is None:
        return UNPARSED
    try:
        return reader(record.payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return UNPARSED


def stream_of(symbol: str, channel: str) -> str:
    """The stream that carries a channel of a symbol."""
    return f"md:{VENUE}:{symbol}:{'trades' if channel in TRADES else 'book'}"


def _frame(payload: bytes) -> Route:
    frame = _combined.decode(payload)
    subscription = parse(frame.stream)
    if subscription is None:
        return UNPARSED
    if subscription.channel is Channel.TRADE:
        trade = _trade.decode(frame.data)
        return _event(subscription, trade.symbol, trade.id, trade.id)
    if subscription.channel is Channel.DEPTH:
        depth = _depth.decode(frame.data)
        return _event(subscription, depth.symbol, depth.first_id, depth.last_id)
    ticker = _ticker.decode(frame.data)
    return _event(subscription, ticker.symbol, ticker.id, ticker.id)


def _event(subscription: Subscription, venue_symbol: str, first_id: int, last_id: int) -> Route:
    if venue_symbol != subscription.venue_symbol or first_id > last_id:
        return UNPARSED
    symbol, channel = subscription.symbol, subscription.channel
    return Route(stream_of(symbol, channel), symbol, channel, first_id, last_id)


def _answer(payload: bytes) -> Route:
    rest = _rest.decode(payload)
    if rest.endpoint not in CHANNELS:
        return UNPARSED
    channel = CHANNELS[Endpoint(rest.endpoint)]
    if channel is Channel.EXCHANGE_INFO:
        return Route(META, "_", channel)
    first_id, last_id = _ids(channel, rest.body)
    return Route(stream_of(rest.symbol, channel), rest.symbol, channel, first_id, last_id)


def _ids(channel: Channel, body: msgspec.Raw) -> tuple[int, int]:
    if channel in {Channel.SNAPSHOT, Channel.BOOK_POLL}:
        book = _book.decode(body)
        return book.last_update_id, book.last_update_id
    if channel is Channel.BACKFILL:
        trades = _trade_ids.decode(body)
        return (trades[0].id, trades[-1].id) if trades else (0, 0)
    return 0, 0


def _disclosure(payload: bytes) -> Route:
    gap = _gap.decode(payload)
    return Route(stream_of(gap.symbol, gap.channel), gap.symbol, Channel.GAP)


def _restart(payload: bytes) -> Route:
    resync = _resync.decode(payload)
    return Route(stream_of(resync.symbol, Channel.DEPTH), resync.symbol, Channel.RESYNC)


READERS: dict[int, Callable[[bytes], Route]] = {
    Kind.FRAME: _frame,
    Kind.REST: _answer,
    Kind.GAP: _disclosure,
    Kind.RESYNC: _restart,
}
