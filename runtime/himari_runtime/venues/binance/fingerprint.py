"""Keys and content digests of Binance's events, for comparison with what the venue says that it sent."""

from collections.abc import Iterator
from hashlib import blake2b

import msgspec

from himari_runtime.messages import Kind, Record, Rest
from himari_runtime.venues.dialect import Fingerprint


class _Wrapped(msgspec.Struct):
    stream: str
    data: msgspec.Raw


class _Trade(msgspec.Struct):
    s: str
    t: int
    p: str
    q: str
    T: int
    m: bool


class _Depth(msgspec.Struct):
    s: str
    U: int
    u: int


class _BookTicker(msgspec.Struct):
    s: str
    u: int


class _OldTrade(msgspec.Struct):
    id: int
    price: str
    qty: str
    time: int
    isBuyerMaker: bool  # noqa: N815 - the venue's name


_wrapped = msgspec.json.Decoder(_Wrapped)
_trade = msgspec.json.Decoder(_Trade)
_depth = msgspec.json.Decoder(_Depth)
_book_ticker = msgspec.json.Decoder(_BookTicker)
_rest = msgspec.json.Decoder(Rest)
_old_trades = msgspec.json.Decoder(list[_OldTrade])


def fingerprints(record: Record) -> Iterator[Fingerprint]:
    """The events in a record: one in a frame, any number in a backfill, none in all else."""
    try:
        if record.kind == Kind.FRAME:
            yield from _of_frame(_wrapped.decode(record.payload))
        elif record.kind == Kind.REST:
            yield from _of_rest(_rest.decode(record.payload))
    except msgspec.DecodeError:
        return


def _of_frame(wrapped: _Wrapped) -> Iterator[Fingerprint]:
    channel = wrapped.stream.partition("@")[2].partition("@")[0]
    if channel == "trade":
        trade = _trade.decode(wrapped.data)
        yield f"t|{trade.s}|{trade.t}", _trade_digest(trade.p, trade.q, trade.T, trade.m), "ws"
    elif channel == "depth":
        depth = _depth.decode(wrapped.data)
        yield f"d|{depth.s}|{depth.U}|{depth.u}", _digest(wrapped.data), "ws"
    elif channel == "bookTicker":
        ticker = _book_ticker.decode(wrapped.data)
        yield f"b|{ticker.s}|{ticker.u}", _digest(wrapped.data), "ws"


def _of_rest(answer: Rest) -> Iterator[Fingerprint]:
    if answer.endpoint.endswith("historicalTrades"):
        symbol = answer.symbol.replace("/", "")
        for trade in _old_trades.decode(answer.body):
            digest = _trade_digest(trade.price, trade.qty, trade.time, trade.isBuyerMaker)
            yield f"t|{symbol}|{trade.id}", digest, "rest"


def _trade_digest(price: str, quantity: str, time_ms: int, buyer_is_maker: bool) -> str:
    return _digest(f"{price}|{quantity}|{time_ms}|{buyer_is_maker:d}".encode())


def _digest(data: msgspec.Raw | bytes) -> str:
    return blake2b(data, digest_size=8).hexdigest()
