"""REST as a client sees it, over TLS."""

import json
from typing import Any

import pytest

from himari_exchange.limits import PATIENCE

pytestmark = pytest.mark.asyncio


async def get(venue: Any, path: str) -> tuple[int, Any, Any]:
    async with venue.get(f"/api/v3/{path}") as answer:
        return answer.status, await answer.json(), answer.headers


@pytest.mark.parametrize(
    ("path", "weight"),
    [
        ("ping", 1),
        ("time", 1),
        ("depth?symbol=BTCUSDT", 5),
        ("depth?symbol=BTCUSDT&limit=100", 5),
        ("depth?symbol=BTCUSDT&limit=101", 25),
        ("depth?symbol=BTCUSDT&limit=500", 25),
        ("depth?symbol=BTCUSDT&limit=1000", 50),
        ("depth?symbol=BTCUSDT&limit=5000", 250),
        ("depth?symbol=BTCUSDT&limit=99999", 250),
        ("exchangeInfo", 20),
        ("klines?symbol=BTCUSDT&interval=1m", 2),
        ("historicalTrades?symbol=BTCUSDT", 25),
        ("depth?symbol=NONE", 1),
    ],
)
async def test_each_request_has_its_weight(start_venue: Any, path: str, weight: int) -> None:
    async with start_venue() as venue:
        _, _, headers = await get(venue, path)
        assert headers["X-MBX-USED-WEIGHT-1M"] == str(weight)


async def test_too_much_weight_is_refused_and_then_banned(start_venue: Any) -> None:
    async with start_venue(weight_per_minute=300) as venue:
        answers = [await get(venue, "depth?symbol=BTCUSDT&limit=5000") for _ in range(PATIENCE + 4)]
    statuses = [status for status, _, _ in answers]
    assert {429, 418} <= set(statuses)
    refused = answers[statuses.index(429)]
    assert refused[1]["code"] == -1003
    assert "current limit is 300 request weight" in refused[1]["msg"]
    assert 1 <= int(refused[2]["Retry-After"]) <= 61
    assert int(answers[statuses.index(418)][2]["Retry-After"]) > 60


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("depth", -1102),
        ("depth?symbol=", -1102),
        ("depth?symbol=btcusdt", -1121),
        ("depth?symbol=BTCUSDT&limit=-1", -1100),
        ("depth?symbol=BTCUSDT&limit=many", -1100),
        ("klines?symbol=BTCUSDT", -1102),
        ("klines?symbol=BTCUSDT&interval=5m", -1120),
        ("historicalTrades?symbol=BTCUSDT&fromId=x", -1100),
        ("exchangeInfo?symbol=NONE", -1121),
        ("exchangeInfo?symbols=[", -1100),
    ],
)
async def test_errors_are_the_venues(start_venue: Any, path: str, code: int) -> None:
    async with start_venue() as venue:
        status, said, _ = await get(venue, path)
        assert (status, said["code"]) == (400, code)
        assert said["msg"]


async def test_the_book_has_as_many_levels_as_asked_for(start_venue: Any) -> None:
    async with start_venue() as venue:
        _, few, _ = await get(venue, "depth?symbol=BTCUSDT&limit=3")
        _, default, _ = await get(venue, "depth?symbol=BTCUSDT")
    assert (len(few["bids"]), len(few["asks"])) == (3, 3)
    assert (len(default["bids"]), len(default["asks"])) == (100, 100)
    assert float(few["bids"][0][0]) < float(few["asks"][0][0])


@pytest.mark.parametrize(
    ("query", "symbols"),
    [
        ("", ["BTCUSDT", "ETHBTC"]),
        ("?symbol=ETHBTC", ["ETHBTC"]),
        ('?symbols=["ETHBTC","BTCUSDT"]', ["ETHBTC", "BTCUSDT"]),
    ],
)
async def test_exchange_info_lists_what_is_asked_for(start_venue: Any, query: str, symbols: list[str]) -> None:
    async with start_venue(symbols=("BTCUSDT", "ETHBTC")) as venue:
        _, said, _ = await get(venue, f"exchangeInfo{query}")
    assert [listed["symbol"] for listed in said["symbols"]] == symbols
    filters = {one["filterType"]: one for one in said["symbols"][0]["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.01000000"
    assert filters["LOT_SIZE"]["stepSize"] == "0.00001000"


async def test_trades_served_are_those_that_were_sent_and_are_in_the_ledger(start_venue: Any) -> None:
    async with start_venue() as venue:
        async with venue.websocket("/ws/btcusdt@trade") as line:
            sent = [json.loads((await line.receive()).data) for _ in range(5)]
        _, served, _ = await get(venue, f"historicalTrades?symbol=BTCUSDT&fromId={sent[0]['t']}&limit=5")
        entries = venue.statement().events
    fields = [(t["id"], t["price"], t["qty"], t["time"], t["isBuyerMaker"]) for t in served]
    assert fields == [(t["t"], t["p"], t["q"], t["T"], t["m"]) for t in sent]
    by_socket = [entry[:2] for entry in entries if entry[4] == "ws"][:5]
    assert [entry[:2] for entry in entries if entry[4] == "rest"] == by_socket


async def test_candles_are_made_of_the_trades(start_venue: Any) -> None:
    async with start_venue() as venue:
        async with venue.websocket("/ws/btcusdt@trade") as line:
            await line.receive()
        _, rows, _ = await get(venue, "klines?symbol=BTCUSDT&interval=1m")
        _, trades, _ = await get(venue, "historicalTrades?symbol=BTCUSDT&fromId=0&limit=1000")
    assert rows[0][1] == trades[0]["price"]
    assert 1 <= sum(row[8] for row in rows) <= len(trades)
