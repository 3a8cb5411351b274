"""A venue that nobody knows, said by its dialect alone: one line in the registry, and feeds and digest speak it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from websockets.asyncio.server import ServerConnection, serve

from himari_runtime.feeds.budget import WeightBudget
from himari_runtime.feeds.feed import Feed
from himari_runtime.feeds.intake import Intake
from himari_runtime.feeds.past import Past
from himari_runtime.feeds.rest import RestClient
from himari_runtime.feeds.spent import Spent
from himari_runtime.messages import (
    START,
    Channel,
    Gap,
    Heartbeat,
    Kind,
    Reason,
    Record,
    Rest,
    Resync,
    Route,
    meta_stream,
    stream_of,
)
from himari_runtime.services.digest import Digest, Window, journaled, summarize
from himari_runtime.settings import CollectedVenue
from himari_runtime.transport.journal import Journal
from himari_runtime.transport.reader import JournalReader
from himari_runtime.venues import registry
from himari_runtime.venues.dialect import Answers, Call, Calls, Dialect, Fingerprint, Limits, Priority
from himari_runtime.venues.own import route_own
from tests.unit.runtime.made import journal_settings

COIN = "COIN/EUR"
FRAMES = (b"trade 1 1", b"depth 5 6", b"trade 4 4", b"what?", b"depth 7 9", b"bye")
CHANNELS = {"book": Channel.SNAPSHOT, "top": Channel.BOOK_POLL, "old": Channel.BACKFILL, "rules": Channel.EXCHANGE_INFO}


def toy_route(record: Record) -> Route:
    """Frames are `channel first last`; answers are lists of ids."""
    if record.kind == Kind.FRAME:
        words = record.payload.decode().split()
        if words[0] == "answer":
            return Route(meta_stream("toy"), "_", Channel.CONTROL)
        if len(words) != 3:
            return Route(meta_stream("toy"), "_", Channel.UNPARSED)
        channel, first_id, last_id = words
        return Route(stream_of("toy", COIN, channel), COIN, Channel(channel), int(first_id), int(last_id))
    if record.kind == Kind.REST:
        answer = msgspec.json.decode(record.payload, type=Rest)
        channel, ids = CHANNELS[answer.endpoint], msgspec.json.decode(answer.body, type=list[int])
        return Route(stream_of("toy", COIN, channel), COIN, channel, ids[0], ids[-1])
    return route_own("toy", record)


def toy_fingerprints(record: Record) -> Iterator[Fingerprint]:
    if record.kind == Kind.FRAME and len(words := record.payload.decode().split()) == 3:
        yield "|".join(words), "same", "ws"


TOY = Dialect(
    name="toy",
    limits=Limits(
        connections=4,
        connections_seconds=60,
        request_seconds=0.01,
        idle_seconds=30,
        weight_header="X-Spent",
        wait_statuses=frozenset({503}),
    ),
    line_url=lambda base: f"{base}/all",
    shards=lambda symbols: [symbols],
    subscriptions=lambda symbols: (b"all, please",),
    calls=Calls(
        snapshot=lambda symbol, levels: Call("book", "/book", {"depth": str(levels)}, 3, Priority.SNAPSHOT),
        book_poll=lambda symbol: Call("top", "/book", {"depth": "1"}, 1, Priority.POLL),
        closed_kline=lambda symbol, open_ms: Call("candle", "/candle", {}, 1, Priority.POLL),
        exchange_info=lambda symbols: [Call("rules", "/rules", {}, 1, Priority.POLL)],
        trades=lambda symbol, first, most: Call("old", "/old", {"from": str(first)}, 1, Priority.BACKFILL),
        server_time=lambda: Call("now", "/now", {}, 1, Priority.CLOCK),
    ),
    answers=Answers(
        trade_ids=lambda body: msgspec.json.decode(body, type=list[int]),
        server_time_ns=lambda body: msgspec.json.decode(body, type=int),
        refusal=lambda body: body.decode(),
        request_refusal=lambda payload: payload.decode().removeprefix("answer "),
    ),
    route=toy_route,
    sequenced={Channel.TRADE: True, Channel.DEPTH: True},
    event_ns=lambda payload: None,
    is_shutdown=lambda payload: payload == b"bye",
    primer=b"trade depth",
    fingerprints=toy_fingerprints,
)


class Server:
    """The made-up venue: frames once, then silence; each answer a list of ids."""

    def __init__(self) -> None:
        self.lines = 0
        self.came_back = asyncio.Event()

    async def line(self, socket: ServerConnection) -> None:
        assert await socket.recv() == "all, please"
        await socket.send("answer ")
        self.lines += 1
        if self.lines == 2:
            self.came_back.set()
        else:
            for frame in FRAMES:
                await socket.send(frame)
        await socket.wait_closed()

    async def answer(self, request: web.Request) -> web.Response:
        bodies = {"/book": "[6]", "/old": "[2,3]", "/rules": "[0]", "/now": "5"}
        return web.Response(text=bodies[request.path], headers={"X-Spent": "40"})

    @asynccontextmanager
    async def running(self) -> AsyncIterator[tuple[str, str]]:
        app = web.Application()
        app.router.add_get("/{name}", self.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with serve(self.line, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            yield f"ws://127.0.0.1:{port}", f"http://127.0.0.1:{runner.addresses[0][1]}"
        await runner.cleanup()


async def collect(folder: Path) -> list[Record]:
    """What the journal holds once the venue has hung up, and gap and book are mended."""
    venue = registry.dialect("toy")
    settings = journal_settings(folder)
    journal, server, mended = Journal.open(settings, "edge", venue.route), Server(), asyncio.Event()

    def beaten(heartbeat: Heartbeat) -> None:
        if heartbeat.gaps >= 4 and heartbeat.resyncs >= 1:
            mended.set()

    async with server.running() as (line, rest_url), RestClient(rest_url, None, WeightBudget(100), venue) as rest:
        feed = Feed(
            CollectedVenue(
                name="toy",
                symbols=(COIN,),
                websocket_url=line,
                rest_url=rest_url,
                ca_file="",
                snapshot_levels=1000,
                book_poll_seconds=300,
                weight_per_minute=100,
                lines=1,
                line_life_seconds=3600,
            ),
            venue,
            None,
            rest,
            Intake(venue, journal),
            past=Past(restarted=True),
            spent=Spent(),
            backlog=lambda: (0, 0.0),
            beaten=beaten,
        )
        jobs = [asyncio.create_task(job) for job in feed.jobs().values()]
        async with asyncio.timeout(20):
            await asyncio.gather(server.came_back.wait(), mended.wait())
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
    journal.close()
    reader = JournalReader(folder, START)
    records = reader.read(1 << 20)
    reader.close()
    return records


@pytest.mark.asyncio
async def test_a_made_up_venue_is_collected_mended_and_digested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.VENUES, "toy", TOY)
    records = await collect(tmp_path)
    gaps = [msgspec.json.decode(each.payload, type=Gap) for each in records if each.kind == Kind.GAP]
    trades = [(gap.after_id, gap.before_id, gap.reason, gap.filled) for gap in gaps if gap.channel == Channel.TRADE]
    resyncs = [msgspec.json.decode(each.payload, type=Resync) for each in records if each.kind == Kind.RESYNC]
    assert trades == [
        (None, 1, Reason.START, False),
        (1, 4, Reason.SEQUENCE, False),
        (1, 4, Reason.SEQUENCE, True),
    ]
    assert resyncs == [Resync(venue="toy", symbol=COIN, snapshot_id=6, first_id=7, reason=Reason.START)]
    window = Window(0, 1 << 62)
    found = summarize(
        Digest(source="edge", where="journal"),
        journaled(tmp_path, window),
        window,
        TOY,
    )
    assert [event.key for event in found.events] == ["trade|1|1", "depth|5|6", "trade|4|4", "depth|7|9"]
    assert found.unparsed == 2


@pytest.mark.parametrize("lines", [2, 6, 24])
def test_lines_that_are_all_refused_begin_fewer_connections_than_the_venue_allows(lines: int) -> None:
    limits = registry.dialect("binance").limits
    mean_wait = limits.retry_seconds(lines) / 2
    assert 0.8 < lines / mean_wait * limits.connections_seconds / limits.connections < 1.0
