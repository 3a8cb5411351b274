"""Where a record belongs, from its payload alone. Whatever cannot be read goes to `unparsed`; nothing here raises."""

import msgspec

from himari_runtime.messages import Channel, Kind, Record, Rest, Route, meta_stream, stream_of
from himari_runtime.venues.binance import wire
from himari_runtime.venues.binance.endpoints import CHANNELS, Endpoint
from himari_runtime.venues.binance.streams import VENUE, parse
from himari_runtime.venues.own import route_own

META = meta_stream(VENUE)
UNPARSED = Route(META, "_", Channel.UNPARSED)
CONTROL = Route(META, "_", Channel.CONTROL)

_combined = msgspec.json.Decoder(wire.Identified)
_rest = msgspec.json.Decoder(Rest)
_book = msgspec.json.Decoder(wire.Depth)
_reply = msgspec.json.Decoder(wire.Reply)
_trade_ids = msgspec.json.Decoder(list[wire.TradeId])


def route(record: Record) -> Route:
    """Stream, symbol, channel and the venue's ids of `record`."""
    try:
        if record.kind == Kind.FRAME:
            return _frame(record.payload)
        if record.kind == Kind.REST:
            return _answer(record.payload)
        return route_own(VENUE, record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return CONTROL if record.kind == Kind.FRAME and _is_reply(record.payload) else UNPARSED


def _frame(payload: bytes) -> Route:
    frame = _combined.decode(payload)
    subscription = parse(frame.stream)
    data = frame.data
    if subscription is None or data.symbol != subscription.venue_symbol:
        return UNPARSED
    channel = subscription.channel
    if channel is Channel.TRADE:
        first_id = last_id = data.trade_id
    else:
        last_id = data.last_id
        first_id = data.first_id if channel is Channel.DEPTH else last_id
    if not 0 <= first_id <= last_id:
        return UNPARSED
    return Route(subscription.stream, subscription.symbol, channel, first_id, last_id)


def _is_reply(payload: bytes) -> bool:
    try:
        _reply.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _answer(payload: bytes) -> Route:
    rest = _rest.decode(payload)
    if rest.endpoint not in CHANNELS:
        return UNPARSED
    channel = CHANNELS[Endpoint(rest.endpoint)]
    if channel is Channel.EXCHANGE_INFO:
        return Route(META, "_", channel)
    first_id, last_id = _ids(channel, rest.body)
    return Route(stream_of(VENUE, rest.symbol, channel), rest.symbol, channel, first_id, last_id)


def _ids(channel: Channel, body: msgspec.Raw) -> tuple[int, int]:
    if channel in {Channel.SNAPSHOT, Channel.BOOK_POLL}:
        book = _book.decode(body)
        return book.last_update_id, book.last_update_id
    if channel is Channel.BACKFILL:
        trades = _trade_ids.decode(body)
        return (trades[0].id, trades[-1].id) if trades else (0, 0)
    return 0, 0
