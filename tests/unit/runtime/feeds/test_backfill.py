"""REST on a server of the test's own: missed trades in pages, refusals obeyed, answers journaled as they came."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from himari_runtime.backoff import Backoff
from himari_runtime.feeds.answers import Answers
from himari_runtime.feeds.backfill import GAPS_MOST, MISSES, Backfill
from himari_runtime.feeds.budget import WeightBudget
from himari_runtime.feeds.intake import Intake
from himari_runtime.feeds.rest import RestClient, RestError
from himari_runtime.messages import START, Gap, Kind, Reason, Rest
from himari_runtime.transport.journal import Journal
from himari_runtime.transport.reader import JournalReader
from himari_runtime.venues.registry import dialect
from tests.unit.runtime.made import journal_settings

BINANCE = dialect("binance")
GAP = Gap(
    venue="binance",
    symbol="BTC/USDT",
    channel="trade",
    after_id=100,
    before_id=2600,
    after_ns=1,
    before_ns=2,
    reason=Reason.RECONNECT,
)


class Exchange:
    """Serves trades but for those that it has lost; refuses as often as told, and a symbol for good."""

    def __init__(self, lost: set[int], refusals: int = 0, failures: int = 0, broken: str = "") -> None:
        self.lost = lost
        self.refusals = refusals
        self.failures = failures
        self.broken = broken
        self.asked: list[dict[str, str]] = []
        self.answered = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.query))
        self.answered.set()
        if self.refusals:
            self.refusals -= 1
            return web.Response(status=429, headers={"Retry-After": "1"})
        if self.failures > 0 or request.query["symbol"] == self.broken:
            self.failures -= 1
            return web.Response(status=500)
        first = int(request.query["fromId"])
        wanted = range(first, first + int(request.query["limit"]))
        trades = [
            {"id": number, "price": "1", "qty": "2", "time": 3, "isBuyerMaker": True}
            for number in wanted
            if number not in self.lost
        ]
        return web.json_response(trades, headers={"X-MBX-USED-WEIGHT-1M": "77"})


@asynccontextmanager
async def served(exchange: Exchange) -> AsyncIterator[RestClient]:
    app = web.Application()
    app.router.add_get("/api/v3/historicalTrades", exchange.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with RestClient(f"http://127.0.0.1:{port}", None, WeightBudget(6000), BINANCE) as rest:
        try:
            yield rest
        finally:
            await runner.cleanup()


@asynccontextmanager
async def filling(exchange: Exchange, folder: Path) -> AsyncIterator[Backfill]:
    """A backfill at work; its journal is in `folder`."""
    settings = journal_settings(folder)
    journal = Journal.open(settings, "edge", BINANCE.route)
    intake = Intake(BINANCE, journal)
    async with served(exchange) as rest:
        backfill = Backfill(Answers(rest, intake), intake, BINANCE, lambda: Backoff(first=0.001, most=0.01))
        task = asyncio.create_task(backfill.run())
        try:
            yield backfill
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            journal.close()


def journaled(folder: Path) -> tuple[list[Rest], list[Gap]]:
    """The answers and gaps that the journal holds."""
    reader = JournalReader(folder, START)
    records = reader.read(1 << 24)
    reader.close()
    rests = [msgspec.json.decode(record.payload, type=Rest) for record in records if record.kind == Kind.REST]
    return rests, [msgspec.json.decode(record.payload, type=Gap) for record in records if record.kind == Kind.GAP]


async def backfilled(exchange: Exchange, folder: Path) -> tuple[list[Rest], list[Gap]]:
    """The answers and gaps that the journal holds once the gap has been worked on."""
    async with filling(exchange, folder) as backfill:
        backfill.want(GAP)
        await asyncio.wait_for(backfill.done(), 20)
    return journaled(folder)


@pytest.mark.asyncio
async def test_all_pages_are_journaled_before_the_gap_is_closed(tmp_path: Path) -> None:
    exchange = Exchange(lost=set())
    rests, gaps = await backfilled(exchange, tmp_path)
    assert [(query["fromId"], query["limit"]) for query in exchange.asked] == [
        ("101", "1000"),
        ("1101", "1000"),
        ("2101", "499"),
    ]
    ids = [trade["id"] for rest in rests for trade in msgspec.json.decode(rest.body)]
    assert ids == list(range(101, 2600))
    assert gaps == [msgspec.structs.replace(GAP, filled=True)]


@pytest.mark.asyncio
async def test_a_gap_of_which_the_venue_lost_a_trade_stays_open(tmp_path: Path) -> None:
    exchange = Exchange(lost={1500})
    rests, gaps = await backfilled(exchange, tmp_path)
    assert len(rests) > 1
    assert gaps == []
    assert [query["fromId"] for query in exchange.asked] == ["101", "1101", *["1500"] * MISSES]


@pytest.mark.asyncio
async def test_an_exchange_that_fails_is_asked_until_it_answers(tmp_path: Path) -> None:
    _, gaps = await backfilled(Exchange(lost=set(), failures=40), tmp_path)
    assert gaps == [msgspec.structs.replace(GAP, filled=True)]


@pytest.mark.asyncio
async def test_a_trade_that_comes_late_is_waited_for(tmp_path: Path) -> None:
    class Late(Exchange):
        async def answer(self, request: web.Request) -> web.Response:
            if len(self.asked) == MISSES:
                self.lost = set()
            return await super().answer(request)

    _, gaps = await backfilled(Late(lost={1500}), tmp_path)
    assert gaps == [msgspec.structs.replace(GAP, filled=True)]


@pytest.mark.asyncio
async def test_a_gap_that_waits_holds_no_other_back(tmp_path: Path) -> None:
    other = msgspec.structs.replace(GAP, symbol="ETH/USDT")
    exchange = Exchange(lost=set(), broken="BTCUSDT")
    async with filling(exchange, tmp_path) as backfill:
        backfill.want(GAP)
        backfill.want(other)
        async with asyncio.timeout(20):
            while not journaled(tmp_path)[1]:
                await exchange.answered.wait()
                exchange.answered.clear()
    assert journaled(tmp_path)[1] == [msgspec.structs.replace(other, filled=True)]


@pytest.mark.asyncio
async def test_gaps_beyond_the_bound_stay_open(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    exchange = Exchange(lost=set(), broken="BTCUSDT")
    async with filling(exchange, tmp_path) as backfill:
        for _ in range(GAPS_MOST + 1):
            backfill.want(GAP)
    assert [line for line in caplog.messages if "stay missing" in line] == [
        f"BTC/USDT: trades between 100 and 2600 stay missing: {GAPS_MOST} gaps wait already"
    ]


@pytest.mark.asyncio
async def test_a_refusal_is_waited_out(tmp_path: Path) -> None:
    exchange = Exchange(lost=set(), refusals=1)
    _, gaps = await backfilled(exchange, tmp_path)
    assert len(exchange.asked) == 4
    assert len(gaps) == 1


@pytest.mark.asyncio
async def test_an_error_names_the_call() -> None:
    async with served(Exchange(lost=set())) as rest:
        with pytest.raises(RestError, match="/api/v3/time: status 404"):
            await rest.get(BINANCE.calls.server_time())
