"""REST on a server of the test's own: missed trades in pages, refusals obeyed, answers journaled as they came."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from himari_runtime.feeds.answers import Answers
from himari_runtime.feeds.backfill import Backfill
from himari_runtime.feeds.budget import WeightBudget
from himari_runtime.feeds.intake import Intake
from himari_runtime.feeds.rest import RestClient, RestError
from himari_runtime.messages import START, Gap, Kind, Reason, Rest
from himari_runtime.settings import JournalSettings
from himari_runtime.transport.journal import Journal
from himari_runtime.transport.reader import JournalReader
from himari_runtime.venues.registry import dialect

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
    """Serves trades but for those that it has lost; refuses as often as told."""

    def __init__(self, lost: set[int], refusals: int = 0) -> None:
        self.lost = lost
        self.refusals = refusals
        self.asked: list[dict[str, str]] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.query))
        if self.refusals:
            self.refusals -= 1
            return web.Response(status=429, headers={"Retry-After": "1"})
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
        yield rest
    await runner.cleanup()


async def backfilled(exchange: Exchange, folder: Path) -> tuple[list[Rest], list[Gap]]:
    """The answers and gaps that the journal holds once the gap has been worked on."""
    settings = JournalSettings(path=folder, max_bytes=1 << 30, segment_bytes=1 << 24, min_free_bytes=0)
    journal = Journal.open(settings, "edge", BINANCE.route)
    intake = Intake(BINANCE, journal)
    async with served(exchange) as rest:
        backfill = Backfill(Answers(rest, intake), intake, BINANCE)
        backfill.want(GAP)
        task = asyncio.create_task(backfill.run())
        await asyncio.wait_for(backfill.done(), 20)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    reader = JournalReader(folder, START)
    records = reader.read(1 << 24)
    reader.close()
    journal.close()
    rests = [msgspec.json.decode(record.payload, type=Rest) for record in records if record.kind == Kind.REST]
    return rests, [msgspec.json.decode(record.payload, type=Gap) for record in records if record.kind == Kind.GAP]


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
    rests, gaps = await backfilled(Exchange(lost={1500}), tmp_path)
    assert len(rests) > 1
    assert gaps == []


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
