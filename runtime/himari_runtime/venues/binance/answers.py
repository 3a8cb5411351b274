"""What the bodies of REST answers say, beyond what routes them."""

import msgspec

from himari_runtime.venues.binance import wire

HALF_MS_NS = 500_000  # the venue cuts its time to ms: on average it is half of one further

_trades = msgspec.json.Decoder(list[wire.TradeId])
_time = msgspec.json.Decoder(wire.ServerTime)
_reply = msgspec.json.Decoder(wire.Reply)
_refusal = msgspec.json.Decoder(wire.Refusal)


def trade_ids(body: bytes) -> list[int]:
    """The ids in a historicalTrades answer. Raises msgspec.DecodeError."""
    return [trade.id for trade in _trades.decode(body)]


def server_time_ns(body: bytes) -> int:
    """The venue's clock in ns since 1970. Raises msgspec.DecodeError."""
    return _time.decode(body).server_time * 1_000_000 + HALF_MS_NS


def refusal(body: bytes) -> str:
    """An error answer's message and code; for anything else how its body begins."""
    try:
        said = _refusal.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return repr(body[:80])
    return f"{said.msg} ({said.code})"


def request_refusal(payload: bytes) -> str:
    """Why a request on a line was refused; empty where it was not."""
    error = _reply.decode(payload).error
    return f"{error.msg} ({error.code})" if error else ""
