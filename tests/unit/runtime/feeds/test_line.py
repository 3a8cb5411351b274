"""A line on a server of the test's own: what it does when the server goes, is silent, or says goodbye."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from himari_runtime.feeds.budget import ConnectionBudget
from himari_runtime.feeds.line import Line

Handler = Callable[[ServerConnection], Awaitable[None]]
Refuse = Callable[[ServerConnection, Request], Awaitable[Response | None]]


class Seen:
    """What the line told."""

    def __init__(self) -> None:
        self.told: list[bytes | str] = []
        self.more = asyncio.Event()

    def _tell(self, what: bytes | str) -> None:
        self.told.append(what)
        self.more.set()

    def take(self, payload: bytes) -> bool:
        self._tell(payload)
        if payload == b"broken":
            raise RuntimeError("the journal refused")
        return payload == b"goodbye"

    def up(self) -> None:
        self._tell("up")

    def down(self) -> None:
        self._tell("down")

    async def until(self, told: list[bytes | str]) -> None:
        async with asyncio.timeout(15):
            while len(self.told) < len(told):
                self.more.clear()
                await self.more.wait()
        assert self.told[: len(told)] == told


@asynccontextmanager
async def line_on(
    handler: Handler, seen: Seen, idle_seconds: float = 30, refuse: Refuse | None = None
) -> AsyncIterator[tuple[Line, asyncio.Task[None]]]:
    async with serve(handler, "127.0.0.1", 0, compression=None, process_request=refuse) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        line = Line(
            0,
            f"ws://127.0.0.1:{port}/stream?streams=x",
            None,
            ConnectionBudget(300, 300),
            idle_seconds=idle_seconds,
            take=seen.take,
            up=seen.up,
            down=seen.down,
        )
        task = asyncio.create_task(line.run())
        yield line, task
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.asyncio
async def test_frames_come_untouched_and_a_lost_line_comes_back() -> None:
    async def once(socket: ServerConnection) -> None:
        await socket.send('{"a":"\N{GREEK SMALL LETTER BETA}"}')
        await socket.send("second")

    seen = Seen()
    life: list[bytes | str] = ["up", '{"a":"\N{GREEK SMALL LETTER BETA}"}'.encode(), b"second", "down"]
    async with line_on(once, seen) as (line, _):
        await seen.until([*life, *life])
        assert line.reconnects >= 1


@pytest.mark.asyncio
async def test_a_silent_line_is_replaced() -> None:
    async def silent(socket: ServerConnection) -> None:
        await socket.send("first")
        await socket.wait_closed()

    seen = Seen()
    async with line_on(silent, seen, idle_seconds=0.2):
        await seen.until(["up", b"first", "down", "up", b"first", "down"])


@pytest.mark.asyncio
async def test_a_goodbye_replaces_the_line_at_once() -> None:
    async def leaving(socket: ServerConnection) -> None:
        await socket.send("goodbye")
        await socket.send("never read")
        await socket.wait_closed()

    seen = Seen()
    async with line_on(leaving, seen):
        await seen.until(["up", b"goodbye", "down", "up", b"goodbye", "down"])


@pytest.mark.asyncio
async def test_what_the_taker_raises_ends_the_line() -> None:
    async def breaking(socket: ServerConnection) -> None:
        await socket.send("broken")
        await socket.wait_closed()

    seen = Seen()
    async with line_on(breaking, seen) as (_, task):
        with pytest.raises(RuntimeError, match="the journal refused"):
            await asyncio.wait_for(task, 10)
    assert seen.told == ["up", b"broken", "down"]


@pytest.mark.asyncio
async def test_a_server_that_refuses_is_asked_again() -> None:
    asked = 0

    async def refuse_twice(connection: ServerConnection, request: Request) -> Response | None:
        nonlocal asked
        asked += 1
        return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "later") if asked <= 2 else None

    async def welcome(socket: ServerConnection) -> None:
        await socket.send("welcome")
        await socket.wait_closed()

    seen = Seen()
    async with line_on(welcome, seen, refuse=refuse_twice) as (line, _):
        await seen.until(["up", b"welcome"])
        assert line.reconnects == 2
