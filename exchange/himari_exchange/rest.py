"""The venue's REST interface, weighed as the venue weighs it."""

from collections.abc import Callable
from time import time_ns
from typing import NamedTuple

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from himari_exchange.amounts import decimal, product
from himari_exchange.errors import RequestError
from himari_exchange.instrument import Instrument
from himari_exchange.ledger import Ledger
from himari_exchange.limits import Weights
from himari_exchange.source import Source
from himari_exchange.tape import Trade

MS = 1_000_000
DEPTH_WEIGHTS = ((100, 5), (500, 25), (1000, 50), (5000, 250))


class Answer(NamedTuple):
    """What a request weighs, and how its body is made once the weight is granted."""

    weight: int
    body: Callable[[], bytes]


class Rest:
    """Serves `/api/v3`."""

    def __init__(self, source: Source, ledger: Ledger, weights: Weights) -> None:
        self._source, self._ledger, self._weights = source, ledger, weights

    def routes(self) -> list[web.RouteDef]:
        answers = {
            "ping": lambda _: Answer(1, lambda: b"{}"),
            "time": lambda _: Answer(1, lambda: b'{"serverTime":%d}' % _now_ms()),
            "depth": self._depth,
            "exchangeInfo": self._exchange_info,
            "klines": self._klines,
            "historicalTrades": self._historical_trades,
        }
        return [web.get(f"/api/v3/{name}", self._weighed(answer)) for name, answer in answers.items()]

    def _weighed(self, answer: Callable[[web.Request], Answer]) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                weight, body = answer(request)
            except RequestError as refused:
                weight, body = 1, None
                error = refused
            now_ms = _now_ms()
            status, used, wait = self._weights.charge(request.remote or "", weight, now_ms / 1000)
            headers = {"X-MBX-USED-WEIGHT": str(used), "X-MBX-USED-WEIGHT-1M": str(used)}
            if status != 200:
                headers["Retry-After"] = str(wait)
                return _json(status, _error(-1003, self._says(status, now_ms + wait * 1000)), headers)
            if body is None:
                return _json(400, _error(error.code, str(error)), headers)
            return _json(200, body(), headers)

        return handle

    def _says(self, status: int, until_ms: int) -> str:
        if status == 418:
            return f"Way too much request weight used; IP banned until {until_ms}."
        return f"Too much request weight used; current limit is {self._weights.per_minute} request weight per 1 MINUTE."

    def _depth(self, request: web.Request) -> Answer:
        instrument, limit = self._instrument(request), _limit(request, default=100, most=5000)
        weight = next(weight for levels, weight in DEPTH_WEIGHTS if limit <= levels)
        return Answer(weight, lambda: instrument.book.snapshot(limit))

    def _exchange_info(self, request: web.Request) -> Answer:
        named = request.query.get("symbols") or msgspec.json.encode(request.query.getall("symbol", [])).decode()
        try:
            symbols = msgspec.json.decode(named, type=list[str])
        except msgspec.MsgspecError as error:
            raise RequestError(-1100, "Illegal characters found in parameter 'symbols'.") from error
        listed = [self._named(symbol) for symbol in symbols] or list(self._source.instruments.values())
        limits = [
            {
                "rateLimitType": "REQUEST_WEIGHT",
                "interval": "MINUTE",
                "intervalNum": 1,
                "limit": self._weights.per_minute,
            }
        ]
        said = {"timezone": "UTC", "serverTime": _now_ms(), "rateLimits": limits, "exchangeFilters": []}
        return Answer(20, lambda: msgspec.json.encode({**said, "symbols": [one.listing() for one in listed]}))

    def _klines(self, request: web.Request) -> Answer:
        instrument, limit = self._instrument(request), _limit(request, default=500, most=1000)
        if _given(request, "interval") != "1m":
            raise RequestError(-1120, "Invalid interval.")
        start, end = _number(request, "startTime"), _number(request, "endTime")
        return Answer(
            2, lambda: msgspec.json.encode([c.row() for c in instrument.tape.candles(_now_ms(), start, end, limit)])
        )

    def _historical_trades(self, request: web.Request) -> Answer:
        instrument, limit = self._instrument(request), _limit(request, default=500, most=1000)
        first_id = _number(request, "fromId")
        return Answer(25, lambda: self._serve_trades(instrument, instrument.tape.trades_from(first_id, limit)))

    def _serve_trades(self, instrument: Instrument, trades: list[Trade]) -> bytes:
        self._ledger.served(instrument.symbol, trades)
        return msgspec.json.encode([_trade(trade) for trade in trades])

    def _instrument(self, request: web.Request) -> Instrument:
        return self._named(_given(request, "symbol"))

    def _named(self, symbol: str) -> Instrument:
        if symbol not in self._source.instruments:
            raise RequestError(-1121, "Invalid symbol.")
        return self._source.instruments[symbol]


def _trade(trade: Trade) -> dict[str, object]:
    return {
        "id": trade.id,
        "price": decimal(trade.price),
        "qty": decimal(trade.quantity),
        "quoteQty": decimal(product(trade.price, trade.quantity)),
        "time": trade.time,
        "isBuyerMaker": trade.buyer_is_maker,
        "isBestMatch": True,
    }


def _given(request: web.Request, name: str) -> str:
    value = request.query.get(name, "")
    if not value:
        raise RequestError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
    return value


def _number(request: web.Request, name: str) -> int | None:
    value = request.query.get(name)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 20):
        raise RequestError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'.")
    return int(value)


def _limit(request: web.Request, *, default: int, most: int) -> int:
    limit = _number(request, "limit")
    return min(limit or default, most)


def _error(code: int, says: str) -> bytes:
    return msgspec.json.encode({"code": code, "msg": says})


def _json(status: int, body: bytes, headers: dict[str, str]) -> web.Response:
    return web.Response(status=status, body=body, content_type="application/json", charset="utf-8", headers=headers)


def _now_ms() -> int:
    return time_ns() // MS
