"""The WebSocket as a client sees it, over TLS."""

import asyncio
import json
import socket
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import websockets
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from himari_exchange.ledger import Ledger
from himari_exchange.lines import Lines
from himari_exchange.market import Market
from himari_exchange.settings import Limits
from himari_exchange.sockets import Sockets

pytestmark = pytest.mark.asyncio
ALL = "btcusdt@trade/btcusdt@depth@100ms/btcusdt@bookTicker"
SOON = 5.0  # seconds


async def until_closed(line: Any) -> int | None:
    """Read on until the server ends the line; the close code, 1006 without a close frame."""
    async with asyncio.timeout(SOON):
        while not line.closed:
            await line.receive()
    code: int | None = line.close_code
    return code


async def ask(line: Any, **request: Any) -> Any:
    """The answer to a request, past the frames of streams."""
    await line.send_json(request)
    async with asyncio.timeout(SOON):
        while True:
            said = await line.receive_json()
            if "id" in said or "error" in said:
                return said


async def test_combined_streams_are_wrapped_and_only_those_subscribed_come(start_venue: Any) -> None:
    async with start_venue() as venue, venue.websocket("/stream?streams=btcusdt@trade/btcusdt@depth@100ms") as line:
        said = [await line.receive_json() for _ in range(50)]
    assert {one["stream"] for one in said} == {"btcusdt@trade", "btcusdt@depth@100ms"}
    assert all(set(one) == {"stream", "data"} for one in said)


async def test_raw_streams_are_not_wrapped(start_venue: Any) -> None:
    async with start_venue() as venue, venue.websocket("/ws/btcusdt@bookTicker") as line:
        assert set(await line.receive_json()) == {"u", "s", "b", "B", "a", "A"}


async def test_a_line_subscribes_lists_and_unsubscribes(start_venue: Any) -> None:
    async with start_venue(inbound_per_second=50) as venue, venue.websocket("/stream") as line:
        assert await ask(line, method="SUBSCRIBE", params=ALL.split("/"), id=1) == {"result": None, "id": 1}
        assert (await line.receive_json())["stream"] in ALL
        listed = await ask(line, method="LIST_SUBSCRIPTIONS", id="two")
        assert (sorted(listed["result"]), listed["id"]) == (sorted(ALL.split("/")), "two")
        await ask(line, method="UNSUBSCRIBE", params=["btcusdt@trade", "btcusdt@bookTicker"], id=3)
        assert await ask(line, method="LIST_SUBSCRIPTIONS", id=4) == {"result": ["btcusdt@depth@100ms"], "id": 4}


async def test_the_wrapper_can_be_switched(start_venue: Any) -> None:
    async with start_venue(inbound_per_second=50) as venue, venue.websocket("/ws") as line:
        assert await ask(line, method="GET_PROPERTY", params=["combined"], id=1) == {"result": False, "id": 1}
        await ask(line, method="SET_PROPERTY", params=["combined", True], id=2)
        await ask(line, method="SUBSCRIBE", params=["btcusdt@trade"], id=3)
        assert (await line.receive_json())["stream"] == "btcusdt@trade"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", 3),
        ('{"method":"DANCE","id":1}', 2),
        ('{"method":5,"id":1}', 2),
        ('{"method":"SET_PROPERTY","params":["colour",true],"id":1}', 0),
    ],
)
async def test_a_request_that_makes_no_sense_is_answered(start_venue: Any, text: str, code: int) -> None:
    async with start_venue() as venue, venue.websocket("/ws") as line:
        await line.send_str(text)
        assert (await line.receive_json())["error"]["code"] == code


async def test_more_than_five_messages_a_second_end_the_line(start_venue: Any) -> None:
    async with start_venue() as venue, venue.websocket("/ws") as line:
        for number in range(6):
            await line.send_json({"method": "LIST_SUBSCRIPTIONS", "id": number})
        assert await until_closed(line) == 1008


async def test_pongs_count_as_messages(start_venue: Any) -> None:
    async with start_venue() as venue, venue.websocket("/ws") as line:
        for _ in range(6):
            await line.pong()
        assert await until_closed(line) == 1008


async def test_streams_per_line_are_limited(start_venue: Any) -> None:
    async with start_venue(streams_per_line=2) as venue:
        async with venue.websocket(f"/stream?streams={ALL}") as line:
            assert await until_closed(line) == 1008
        async with venue.websocket("/ws") as line:
            said = await ask(line, method="SUBSCRIBE", params=ALL.split("/"), id=1)
            assert said["error"]["code"] == 2


async def test_connections_per_address_are_limited(start_venue: Any) -> None:
    async with start_venue(connections_per_five_minutes=2) as venue:
        for _ in range(2):
            async with venue.websocket("/ws") as line:
                await line.ping()
        with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
            await venue.websocket("/ws")
        assert raised.value.status == 429


async def test_a_line_that_answers_pings_lives_and_one_that_does_not_is_cut(start_venue: Any) -> None:
    async with start_venue(ping_seconds=0.1, pong_seconds=0.4, inbound_per_second=50) as venue:
        answering = await venue.websocket("/ws")
        silent = await venue.websocket("/ws", autoping=False)
        pongs = asyncio.create_task(until_closed(answering))
        assert (await silent.receive()).type is WSMsgType.PING
        assert await until_closed(silent) == 1006
        assert not pongs.done()
        await answering.close()
        await pongs


async def test_a_line_ends_at_its_age(start_venue: Any) -> None:
    async with start_venue(line_life_seconds=0.3) as venue, venue.websocket(f"/stream?streams={ALL}") as line:
        assert await until_closed(line) == 1001


async def test_a_slow_client_is_cut_and_blocks_nobody(start_venue: Any) -> None:
    async with start_venue(queued_frames=2000, frames_per_s=2000) as venue:
        slow = await venue.websocket(f"/stream?streams={ALL}")
        transport = slow._response.connection.transport
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        transport.pause_reading()
        async with venue.websocket(f"/stream?streams={ALL}") as quick, asyncio.timeout(60):
            open_still = 200
            while open_still == 200:
                for _ in range(500):
                    assert (await quick.receive()).type is WSMsgType.TEXT
                open_still, _ = await venue.order(name="drop", line=1, stream="none")
            assert (await quick.receive()).type is WSMsgType.TEXT
        slow._response.close()
        spans = {span.line: span.closed_ns for span in venue.statement().lines}
        assert spans[1] is not None


async def test_all_that_came_is_in_the_ledger_and_nothing_else(start_venue: Any) -> None:
    async with start_venue() as venue:
        address = f"wss://127.0.0.1:{venue.settings.listen.port}/stream?streams={ALL}"
        async with websockets.connect(address, ssl=venue.tls, compression=None) as line:
            came: list[Any] = []
            for _ in range(300):
                came.append(json.loads(await line.recv())["data"])
        keys = [key for key, *_ in venue.statement().events]
    assert keys[:300] == [_key(said) for said in came]
    assert len(keys) < 300 + 50


def _key(said: Any) -> str:
    match said.get("e"):
        case "trade":
            return f"t|BTCUSDT|{said['t']}"
        case "depthUpdate":
            return f"d|BTCUSDT|{said['U']}|{said['u']}"
    return f"b|BTCUSDT|{said['u']}"


async def test_dropped_frames_are_neither_sent_nor_in_the_ledger(start_venue: Any) -> None:
    async with start_venue() as venue, venue.websocket("/ws/btcusdt@trade") as line:
        first = (await line.receive_json())["t"]
        assert await venue.order(name="drop", count=3, stream="*@trade") == (200, {"lines": [1], "error": ""})
        ids = [first]
        async with asyncio.timeout(SOON):
            while ids[-1] - first == len(ids) - 1:
                ids.append((await line.receive_json())["t"])
        assert ids[-1] - ids[-2] == 4
        said = venue.statement()
        assert [event[0] for event in said.events][: len(ids)] == [f"t|BTCUSDT|{number}" for number in ids]
        assert [(order["name"], order["count"], order["lines"]) for order in said.orders] == [("drop", 3, [1])]


async def test_duplicates_and_swaps_are_sent_and_in_the_ledger_as_sent(start_venue: Any) -> None:
    async with start_venue() as venue, venue.websocket("/ws/btcusdt@trade") as line:
        await line.receive()
        await venue.order(name="duplicate", count=1)
        await venue.order(name="reorder", count=1)
        ids = [(await line.receive_json())["t"] for _ in range(30)]
        steps = [after - before for before, after in pairwise(ids)]
        assert 0 in steps
        assert [-1 in steps, steps.count(2)] == [True, 2]
        assert [f"t|BTCUSDT|{number}" for number in ids] == [event[0] for event in venue.statement().events][1:31]


async def test_garbage_is_no_json_and_no_event(start_venue: Any) -> None:
    async with start_venue() as venue, venue.websocket("/ws/btcusdt@trade") as line:
        await line.receive()
        await venue.order(name="garbage", count=2)
        broken = 0
        async with asyncio.timeout(SOON):
            while broken < 2:
                try:
                    await line.receive_json()
                except json.JSONDecodeError:
                    broken += 1
        assert all(event[0].startswith("t|") for event in venue.statement().events)


async def test_a_stalled_line_sends_everything_later(start_venue: Any) -> None:
    async with start_venue() as venue, venue.websocket("/ws/btcusdt@trade") as line:
        await line.receive()
        await venue.order(name="stall", seconds=0.5)
        loop, waits, ids = asyncio.get_running_loop(), [], []
        async with asyncio.timeout(SOON):
            while not waits or max(waits) < 0.3:
                before = loop.time()
                ids.append((await line.receive_json())["t"])
                waits.append(loop.time() - before)
        assert ids == list(range(ids[0], ids[0] + len(ids)))


async def test_one_line_can_be_cut_while_the_other_lives(start_venue: Any) -> None:
    path = "/ws/btcusdt@trade"
    async with start_venue() as venue, venue.websocket(path) as first, venue.websocket(path) as second:
        assert await venue.order(name="cut", line=1) == (200, {"lines": [1], "error": ""})
        assert await until_closed(first) == 1006
        assert (await second.receive()).type is WSMsgType.TEXT


async def test_a_shutdown_is_announced_in_the_lines_own_form(start_venue: Any) -> None:
    async with start_venue() as venue, venue.websocket("/stream") as combined, venue.websocket("/ws") as raw:
        await venue.order(name="shutdown-notice")
        wrapped, bare = await combined.receive_json(), await raw.receive_json()
        assert wrapped["stream"] == "!serverShutdown"
        assert wrapped["data"]["e"] == bare["e"] == "serverShutdown"
        assert venue.statement().events == []


@pytest.mark.parametrize(
    ("order", "status", "says"),
    [
        ({"name": "drop"}, 409, "no line is open"),
        ({"name": "cut", "line": 9}, 409, "line 9 is not open"),
        ({"name": "explode"}, 400, "not an order"),
        ({"name": "drop", "count": 0}, 400, "not an order"),
        ({"name": "drop", "cuont": 1}, 400, "not an order"),
    ],
)
async def test_an_order_that_cannot_be_followed_is_refused(
    start_venue: Any, order: Any, status: int, says: str
) -> None:
    async with start_venue() as venue:
        answered, reply = await venue.order(**order)
        assert answered == status
        assert says in reply["error"]
        assert venue.statement().orders == []


async def test_a_venue_that_goes_away_opens_no_line(tmp_path: Path) -> None:
    """A client that comes back at once would otherwise be noted in a ledger that is closed."""
    limits = Limits()
    ledger = Ledger(tmp_path, 1 << 20)
    lines = Lines(ledger, limits)
    app = web.Application()
    app.add_routes(Sockets(Market(("BTCUSDT",), seed=1, frames_per_s=1, first_id=1), lines, limits).routes())
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        await lines.close()
        ledger.close()
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(server.make_url("/stream"))
    assert refused.value.status == 503
