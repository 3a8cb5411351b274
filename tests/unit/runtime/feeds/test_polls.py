"""What is asked by the clock arrives in the journal, as the venue answered and under what it was asked for."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from aiohttp import web

from himari_runtime.feeds import polls
from himari_runtime.feeds.answers import Answers
from himari_runtime.feeds.intake import Intake
from himari_runtime.feeds.polls import Polls
from himari_runtime.feeds.rest import RestClient
from himari_runtime.messages import START, Kind, Rest
from himari_runtime.transport.journal import Journal
from himari_runtime.transport.reader import JournalReader
from himari_runtime.venues.registry import dialect

BINANCE = dialect("binance")
SYMBOLS = ("BTC/USDT", "ETH/USDT")
BOOK = b'{"lastUpdateId":7,"bids":[],"asks":[]}'
BODIES = {"/api/v3/exchangeInfo": b'{"symbols":[]}', "/api/v3/klines": b"[[1,2]]", "/api/v3/depth": BOOK}
Serve = Callable[..., AbstractAsyncContextManager[RestClient]]
Job = Callable[[Polls], Coroutine[Any, Any, None]]


class Venue:
    """Answers each path with its body, after as many failures as told."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.asked: list[dict[str, str]] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.query))
        if len(self.asked) <= self.failures:
            return web.json_response({"code": -1000, "msg": "busy"}, status=500)
        return web.Response(body=BODIES[request.path])


class Watched:
    """The journal, and a word for each answer that is in it."""

    def __init__(self, journal: Journal) -> None:
        self.epoch = journal.epoch
        self.mark = journal.mark
        self.answered: asyncio.Queue[None] = asyncio.Queue()
        self._journal = journal

    def append_all(
        self, kind: Kind, payloads: Sequence[bytes], *, line: int, received_ns: int, monotonic_ns: int
    ) -> int:
        n = self._journal.append_all(kind, payloads, line=line, received_ns=received_ns, monotonic_ns=monotonic_ns)
        if kind is Kind.REST:
            self.answered.put_nowait(None)
        return n


async def polled(
    serve: Serve, journal: Journal, venue: Venue, job: Job, *, most: int, symbols: tuple[str, ...] = SYMBOLS
) -> list[Rest]:
    """The first `most` answers in the journal."""
    watched = Watched(journal)
    intake = Intake(BINANCE, watched)
    async with serve(venue.answer) as rest:
        task = asyncio.create_task(job(Polls(Answers(rest, intake), BINANCE, symbols, 0.02)))
        async with asyncio.timeout(10):
            for _ in range(most):
                await watched.answered.get()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    reader = JournalReader(journal.settings.path, START)
    rests = [msgspec.json.decode(each.payload, type=Rest) for each in reader.read() if each.kind == Kind.REST]
    reader.close()
    return rests[:most]


@pytest.mark.asyncio
async def test_the_rules_are_asked_for_all_symbols_at_once(serve: Serve, journal: Journal) -> None:
    venue = Venue()
    (rest,) = await polled(serve, journal, venue, Polls.exchange_info, most=1)
    assert venue.asked == [{"symbols": '["BTCUSDT","ETHUSDT"]'}]
    assert (rest.endpoint, rest.symbol, rest.weight, bytes(rest.body)) == ("exchangeInfo", "_", 20, b'{"symbols":[]}')


@pytest.mark.asyncio
async def test_the_rules_of_a_thousand_symbols_are_asked_in_parts_that_a_server_takes(
    serve: Serve, journal: Journal
) -> None:
    venue, names = Venue(), [f"COIN{number}" for number in range(1000)]
    symbols = tuple(f"{name}/USDT" for name in names)
    rests = await polled(serve, journal, venue, Polls.exchange_info, most=5, symbols=symbols)
    asked = [name for query in venue.asked for name in msgspec.json.decode(query["symbols"])]
    assert asked == [f"{name}USDT" for name in names]
    assert [rest.endpoint for rest in rests] == ["exchangeInfo"] * 5


@pytest.mark.asyncio
async def test_books_are_asked_in_turn(serve: Serve, journal: Journal) -> None:
    rests = await polled(serve, journal, Venue(), Polls.books, most=3)
    assert [rest.symbol for rest in rests] == ["BTC/USDT", "ETH/USDT", "BTC/USDT"]
    assert {(rest.endpoint, rest.weight, bytes(rest.body)) for rest in rests} == {("depth/poll", 5, BOOK)}


@pytest.mark.asyncio
@pytest.mark.parametrize(("now", "opened_ms"), [(600.0 + 2.99, 540_000), (600.0 + 62.99, 600_000)])
async def test_the_candle_that_closed_is_asked_for_once_it_has_settled(
    serve: Serve, journal: Journal, monkeypatch: pytest.MonkeyPatch, now: float, opened_ms: int
) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    monkeypatch.setattr(polls, "time", SimpleNamespace(time=lambda: now + loop.time() - began))
    venue = Venue()
    rests = await polled(serve, journal, venue, Polls.klines, most=2)
    assert [rest.symbol for rest in rests] == list(SYMBOLS)
    times = {"interval": "1m", "startTime": str(opened_ms), "endTime": str(opened_ms + 59_999), "limit": "1"}
    assert venue.asked == [{"symbol": symbol, **times} for symbol in ("BTCUSDT", "ETHUSDT")]


@pytest.mark.asyncio
async def test_a_call_that_fails_is_asked_again(
    serve: Serve, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polls, "RETRY_SECONDS", 0.01)
    venue = Venue(failures=2)
    rests = await polled(serve, journal, venue, Polls.exchange_info, most=1)
    assert len(venue.asked) == 3
    assert [rest.endpoint for rest in rests] == ["exchangeInfo"]


@pytest.mark.asyncio
async def test_a_call_that_keeps_failing_is_left_for_its_next_turn(
    serve: Serve, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polls, "RETRY_SECONDS", 0.01)
    venue = Venue(failures=polls.ATTEMPTS)
    rests = await polled(serve, journal, venue, Polls.books, most=1)
    assert [rest.symbol for rest in rests] == ["ETH/USDT"]
    assert [query["symbol"] for query in venue.asked[:6]] == ["BTCUSDT"] * 5 + ["ETHUSDT"]
