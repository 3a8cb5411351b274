"""Every record finds its place from its payload alone."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from himari_runtime.messages import Channel, Gap, Kind, Reason, Record, Rest, Resync, Route
from himari_runtime.venues.binance.route import UNPARSED, route

TRADE = (
    b'{"stream":"btcusdt@trade","data":{"e":"trade","E":1672515782136,"s":"BTCUSDT","t":12345,"p":"0.001","q":"100",'
    b'"T":1672515782136,"m":true,"M":true}}'
)
DEPTH = (
    b'{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1672515782136,"s":"BTCUSDT","U":157,"u":160,'
    b'"b":[["0.0024","10"]],"a":[["0.0026","100"]]}}'
)
TICKER = (
    b'{"stream":"bnbusdt@bookTicker","data":{"u":400900217,"s":"BNBUSDT","b":"25.3","B":"31.2","a":"25.4","A":"1"}}'
)


def record(kind: int, payload: bytes) -> Record:
    return Record(3, 9, kind, 0, 1, 2, payload)


def rest(endpoint: str, symbol: str, body: bytes) -> Record:
    return record(Kind.REST, msgspec.json.encode(Rest(endpoint, symbol, 5, msgspec.Raw(body))))


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        (TRADE, Route("md:binance:BTC/USDT:trades", "BTC/USDT", Channel.TRADE, 12345, 12345)),
        (DEPTH, Route("md:binance:BTC/USDT:book", "BTC/USDT", Channel.DEPTH, 157, 160)),
        (TICKER, Route("md:binance:BNB/USDT:book", "BNB/USDT", Channel.BOOK_TICKER, 400900217, 400900217)),
    ],
)
def test_documented_frames(payload: bytes, place: Route) -> None:
    assert route(record(Kind.FRAME, payload)) == place


@pytest.mark.parametrize(
    ("answer", "place"),
    [
        (
            rest("depth", "BTC/USDT", b'{"lastUpdateId":1027024,"bids":[["4.0","431.0"]],"asks":[]}'),
            Route("md:binance:BTC/USDT:book", "BTC/USDT", Channel.SNAPSHOT, 1027024, 1027024),
        ),
        (
            rest("depth/poll", "BTC/USDT", b'{"lastUpdateId":7,"bids":[],"asks":[]}'),
            Route("md:binance:BTC/USDT:book", "BTC/USDT", Channel.BOOK_POLL, 7, 7),
        ),
        (
            rest("historicalTrades", "BTC/USDT", b'[{"id":28457,"price":"4.0"},{"id":28460,"price":"4.0"}]'),
            Route("md:binance:BTC/USDT:trades", "BTC/USDT", Channel.BACKFILL, 28457, 28460),
        ),
        (
            rest("historicalTrades", "BTC/USDT", b"[]"),
            Route("md:binance:BTC/USDT:trades", "BTC/USDT", Channel.BACKFILL),
        ),
        (
            rest("klines", "BTC/USDT", b'[[1499040000000,"0.01","0.8","0.01","0.01","148976.1",1499644799999]]'),
            Route("md:binance:BTC/USDT:trades", "BTC/USDT", Channel.KLINE),
        ),
        (rest("exchangeInfo", "_", b'{"symbols":[]}'), Route("md:binance:_:meta", "_", Channel.EXCHANGE_INFO)),
        (rest("account", "_", b"{}"), UNPARSED),
        (rest("depth", "BTC/USDT", b'{"code":-1121,"msg":"Invalid symbol."}'), UNPARSED),
        (record(Kind.REST, b'{"endpoint":"depth","symbol":"BTC/USDT","weight":5,"body":<html>}'), UNPARSED),
    ],
)
def test_answers(answer: Record, place: Route) -> None:
    assert route(answer) == place


@pytest.mark.parametrize(
    ("channel", "stream"), [(Channel.TRADE, "trades"), (Channel.DEPTH, "book"), (Channel.BOOK_TICKER, "book")]
)
def test_gaps_go_where_their_events_are(channel: Channel, stream: str) -> None:
    gap = Gap(
        venue="binance",
        symbol="BTC/USDT",
        channel=channel,
        after_id=None,
        before_id=2,
        after_ns=None,
        before_ns=3,
        reason=Reason.START,
    )
    place = Route(f"md:binance:BTC/USDT:{stream}", "BTC/USDT", Channel.GAP)
    assert route(record(Kind.GAP, msgspec.json.encode(gap))) == place


def test_messages_of_our_own() -> None:
    resync = Resync(venue="binance", symbol="BTC/USDT", snapshot_id=1, first_id=1, reason=Reason.START)
    place = Route("md:binance:BTC/USDT:book", "BTC/USDT", Channel.RESYNC)
    assert route(record(Kind.RESYNC, msgspec.json.encode(resync))) == place
    assert route(record(Kind.HEARTBEAT, b"{}")).channel == Channel.HEARTBEAT
    assert route(record(Kind.EPOCH, b"{}")).stream == "md:binance:_:meta"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        TRADE[:-9],
        TRADE.replace(b'"t":12345', b'"t":"12345"'),
        TRADE.replace(b'"t":12345', b'"t":-1'),
        TRADE.replace(b'"t":12345', b'"t":99999999999999999999'),
        TRADE.replace(b'"s":"BTCUSDT"', b'"s":"ETHUSDT"'),
        TRADE.replace(b"btcusdt@trade", b"btcusdt@aggTrade"),
        TRADE.replace(b"btcusdt@trade", b"BTCUSDT@trade"),
        DEPTH.replace(b'"U":157', b'"U":161'),
        b'{"e":"serverShutdown","E":1}',
    ],
)
def test_what_cannot_be_read_is_unparsed(payload: bytes) -> None:
    assert route(record(Kind.FRAME, payload)) == UNPARSED


@given(kind=st.integers(0, 255), payload=st.binary(max_size=200), cut=st.integers(0, 200))
def test_never_raises(kind: int, payload: bytes, cut: int) -> None:
    spliced = TRADE[:cut] + payload + TRADE[cut:]
    for each in (payload, spliced):
        assert route(record(kind, each)).channel in Channel
