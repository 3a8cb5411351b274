"""A line on a server of the test's own: what it does when the server goes, says goodbye or grows old."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from himari_runtime.feeds.budget import ConnectionBudget
from himari_runtime.feeds.line import PASS_TURN_SECONDS, Line
from himari_runtime.feeds.session import Session, Target
from himari_runtime.feeds.stagger import Stagger

Handler = Callable[[ServerConnection], Awaitable[None]]
Refuse = Callable[[ServerConnection, Request], Awaitable[Response | None]]
Told = list[bytes | str]


class Sockets(list[ServerConnection]):
    """The connections that a server has seen, oldest first."""

    def __init__(self) -> None:
        self._more = asyncio.Event()

    def add(self, socket: ServerConnection) -> int:
        """How many there are with it."""
        self.append(socket)
        self._more.set()
        return len(self)

    async def until(self, count: int) -> None:
        """Returns when there are so many."""
        while len(self) < count:
            self._more.clear()
            await self._more.wait()


class Seen:
    """What the line told. Frames: `answer ...` to the subscription, `book N`, `goodbye`, `broken`."""

    def __init__(self) -> None:
        self.told: Told = []
        self.more = asyncio.Event()

    def tell(self, what: bytes | str) -> None:
        self.told.append(what)
        self.more.set()

    def take(self, session: Session, payloads: list[bytes]) -> None:
        for payload in payloads:
            self._take(session, payload)

    def _take(self, session: Session, payload: bytes) -> None:
        word, _, rest = payload.partition(b" ")
        if word == b"answer":
            session.answers.put_nowait(rest.decode())
            return
        self.tell(payload)
        if word == b"broken":
            raise RuntimeError("the journal refused")
        if word == b"goodbye":
            session.leave("shutdown")
        if word == b"book":
            session.advance("COIN", int(rest), int(rest))

    async def next(self) -> None:
        """Returns when more was told."""
        self.more.clear()
        await self.more.wait()

    async def until(self, told: Told) -> None:
        async with asyncio.timeout(15):
            while len(self.told) < len(told):
                await self.next()
        assert self.told[: len(told)] == told


@asynccontextmanager
async def line_on(
    handler: Handler, seen: Seen, refuse: Refuse | None = None, life_seconds: float = 3600
) -> AsyncIterator[tuple[Line, asyncio.Task[None]]]:
    async def welcome(socket: ServerConnection) -> None:
        assert await socket.recv() == "subscribe"
        await handler(socket)

    async with serve(welcome, "127.0.0.1", 0, compression=None, process_request=refuse) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        line = Line(
            0,
            Target(f"ws://127.0.0.1:{port}/stream", None, (b"subscribe",), 0.01),
            ConnectionBudget(300, 300),
            seen.take,
            stagger=Stagger(life_seconds),
            retry_seconds=1.0,
            down=lambda: seen.tell("down"),
        )
        task = asyncio.create_task(line.run())
        yield line, task
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.asyncio
async def test_frames_come_untouched_and_a_lost_line_comes_back() -> None:
    async def once(socket: ServerConnection) -> None:
        await socket.send("answer ")
        await socket.send('{"a":"\N{GREEK SMALL LETTER BETA}"}')
        await socket.send("second")

    seen = Seen()
    life: Told = ['{"a":"\N{GREEK SMALL LETTER BETA}"}'.encode(), b"second", "down"]
    async with line_on(once, seen) as (line, _):
        await seen.until([*life, *life])
        assert line.reconnects >= 1


@pytest.mark.asyncio
async def test_after_a_goodbye_the_line_goes_on_until_its_successor_has_passed_it() -> None:
    """The first connection still brings what the second does not; it is closed once the second's book is as far."""
    sockets: list[ServerConnection] = []
    second_is_asked = asyncio.Event()

    async def leaving(socket: ServerConnection) -> None:
        sockets.append(socket)
        if len(sockets) == 2:
            second_is_asked.set()
            await socket.send("answer ")
            await sockets[0].send("book 2")
            await seen.until([b"book 1", b"goodbye", b"book 2"])
            await socket.send("book 2")
        else:
            for text in ("answer ", "book 1", "goodbye"):
                await socket.send(text)
        await socket.wait_closed()

    seen = Seen()
    async with line_on(leaving, seen) as (line, _):
        async with asyncio.timeout(15):
            await second_is_asked.wait()
            await sockets[0].wait_closed()
        assert seen.told == [b"book 1", b"goodbye", b"book 2", b"book 2"]
        assert line.session is not None
        assert line.session.is_open


@pytest.mark.asyncio
async def test_an_old_line_has_a_successor_before_it_goes() -> None:
    open_now, most = 0, 0

    async def count(socket: ServerConnection) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await socket.send("answer ")
        while socket.state.name == "OPEN":
            await socket.send(f"book {time.monotonic_ns() // 10_000_000}")
            await asyncio.sleep(0.01)
        open_now -= 1

    seen = Seen()
    async with line_on(count, seen, life_seconds=0.3) as (line, _):
        async with asyncio.timeout(15):
            while line.reconnects < 3:
                await seen.next()
    assert (most, "down" in seen.told[:-1]) == (2, False)


@pytest.mark.asyncio
async def test_a_line_that_stands_still_is_left_once_its_successor_has_passed_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("himari_runtime.feeds.line.PASS_SECONDS", 3600.0)
    sockets: list[ServerConnection] = []

    async def still(socket: ServerConnection) -> None:
        sockets.append(socket)
        await socket.send("answer ")
        await socket.send(f"book {len(sockets)}")
        if len(sockets) == 1:
            await socket.send("goodbye")
        await socket.wait_closed()

    seen = Seen()
    async with line_on(still, seen) as (line, _):
        async with asyncio.timeout(15):
            await seen.until([b"book 1", b"goodbye", b"book 2"])
            await sockets[0].wait_closed()
        assert line.session is not None
        assert line.session.is_open


@pytest.mark.asyncio
async def test_a_line_that_stands_still_far_behind_its_successor_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("himari_runtime.feeds.line.PASS_SECONDS", 3600.0)
    monkeypatch.setattr("himari_runtime.feeds.passing.STILL_SECONDS", 0.2)
    sockets = Sockets()

    async def stalled(socket: ServerConnection) -> None:
        for text in ("answer ", "book 1", "goodbye") if sockets.add(socket) == 1 else ("answer ", "book 50"):
            await socket.send(text)
        await socket.wait_closed()

    seen = Seen()
    async with line_on(stalled, seen) as (line, _):
        await seen.until([b"book 1", b"goodbye", b"book 50", "down"])
        async with asyncio.timeout(15):
            await sockets[0].wait_closed()
        assert line.session is not None
        assert line.session.is_open


@pytest.mark.asyncio
async def test_a_successor_that_dies_leaves_the_old_line_in_place_until_another_has_passed_it() -> None:
    sockets = Sockets()

    async def leaving(socket: ServerConnection) -> None:
        number = sockets.add(socket)
        await socket.send("answer ")
        if number == 1:
            for text in ("book 1", "goodbye"):
                await socket.send(text)
        elif number == 2:
            socket.transport.abort()
        else:
            await sockets[0].send("book 2")
            await seen.until([b"book 1", b"goodbye", b"book 2"])
            await socket.send("book 2")
        await socket.wait_closed()

    seen = Seen()
    async with line_on(leaving, seen) as (line, _):
        async with asyncio.timeout(15):
            await sockets.until(3)
            await sockets[0].wait_closed()
        assert seen.told == [b"book 1", b"goodbye", b"book 2", b"book 2"]
        assert (line.reconnects, line.session is not None and line.session.is_open) == (2, True)


@pytest.mark.asyncio
async def test_an_old_line_that_lags_brings_what_its_successor_has_not_before_it_goes() -> None:
    """The successor's book begins ahead: what is between the two is still on its way over the old line."""
    sockets = Sockets()

    async def lagging(socket: ServerConnection) -> None:
        await socket.send("answer ")
        if sockets.add(socket) == 1:
            for text in ("book 1", "goodbye"):
                await socket.send(text)
        else:
            await socket.send("book 5")
            await seen.until([b"book 1", b"goodbye", b"book 5"])
            for number in (2, 3, 4):
                await asyncio.sleep(3 * PASS_TURN_SECONDS)
                await sockets[0].send(f"book {number}")
        await socket.wait_closed()

    seen = Seen()
    async with line_on(lagging, seen):
        async with asyncio.timeout(15):
            await sockets.until(2)
            await sockets[0].wait_closed()
        assert seen.told == [b"book 1", b"goodbye", b"book 5", b"book 2", b"book 3", b"book 4"]


@pytest.mark.asyncio
async def test_what_lies_between_two_lines_that_do_not_meet_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("himari_runtime.feeds.line.PASS_SECONDS", 0.2)
    sockets = Sockets()

    async def apart(socket: ServerConnection) -> None:
        for text in ("answer ", "book 1", "goodbye") if sockets.add(socket) == 1 else ("answer ", "book 5"):
            await socket.send(text)
        await socket.wait_closed()

    seen = Seen()
    async with line_on(apart, seen):
        await seen.until([b"book 1", b"goodbye", b"book 5", "down"])
        async with asyncio.timeout(15):
            await sockets[0].wait_closed()


@pytest.mark.asyncio
async def test_a_successor_that_brings_nothing_does_not_take_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("himari_runtime.feeds.line.PASS_SECONDS", 0.3)
    sockets = Sockets()

    async def silent(socket: ServerConnection) -> None:
        number = sockets.add(socket)
        await socket.send("answer ")
        if number == 1:
            await socket.send("goodbye")
        while socket.state.name == "OPEN" and number != 2:
            await socket.send(f"book {time.monotonic_ns() // 10_000_000}")
            await asyncio.sleep(0.01)
        await socket.wait_closed()

    seen = Seen()
    async with line_on(silent, seen):
        async with asyncio.timeout(15):
            await sockets.until(3)
            assert [socket.state.name == "OPEN" for socket in sockets] == [True, False, True]
            await sockets[0].wait_closed()
        assert "down" not in seen.told


@pytest.mark.asyncio
async def test_a_line_that_is_cancelled_as_its_successor_opens_leaves_no_connection() -> None:
    sockets, cancelled = Sockets(), asyncio.Event()

    async def leaving(socket: ServerConnection) -> None:
        if sockets.add(socket) == 1:
            await socket.send("answer ")
            await socket.send("goodbye")
        else:
            (attempt,) = (each for each in asyncio.all_tasks() if "Line._attempt " in repr(each.get_coro()))
            attempt.add_done_callback(lambda _: (task.cancel(), cancelled.set()))
            await socket.send("answer ")
        await socket.wait_closed()

    async with line_on(leaving, Seen()) as (_, task):
        async with asyncio.timeout(15):
            await cancelled.wait()
            await asyncio.wait([task])
            for socket in sockets:
                await socket.wait_closed()


@pytest.mark.asyncio
async def test_what_the_taker_raises_ends_the_line() -> None:
    async def breaking(socket: ServerConnection) -> None:
        await socket.send("answer ")
        await socket.send("broken")
        await socket.wait_closed()

    seen = Seen()
    async with line_on(breaking, seen) as (_, task):
        with pytest.raises(RuntimeError, match="the journal refused"):
            await asyncio.wait_for(task, 10)
    assert seen.told[0] == b"broken"


@pytest.mark.asyncio
async def test_a_server_that_refuses_is_asked_again() -> None:
    asked = 0

    async def refuse_once(connection: ServerConnection, request: Request) -> Response | None:
        nonlocal asked
        asked += 1
        return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "later") if asked == 1 else None

    async def welcome(socket: ServerConnection) -> None:
        await socket.send("answer Too many streams" if asked == 2 else "answer ")
        while socket.state.name == "OPEN":
            await socket.send("welcome")
            await asyncio.sleep(0.01)

    seen = Seen()
    async with line_on(welcome, seen, refuse=refuse_once) as (line, _):
        async with asyncio.timeout(15):
            while line.session is None:
                await seen.next()
        assert (asked, line.reconnects) == (3, 2)
