"""A connection to a server that answers late, in pieces, never, or leaves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import hiredis
import pytest

from himari_runtime.transport import redis_link
from himari_runtime.transport.redis_link import RedisLink, RefusedError, pack

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
LARGE = 32 << 20  # more than the kernel takes unread


@asynccontextmanager
async def linked(serve: Serve) -> AsyncIterator[RedisLink]:
    """A link to a server of its own."""

    ended = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await serve(reader, writer)
            writer.close()
            await writer.wait_closed()
        ended.set()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        link = await RedisLink.connect("127.0.0.1", server.sockets[0].getsockname()[1])
        try:
            yield link
        finally:
            link.close()
            await ended.wait()


@pytest.mark.asyncio
async def test_answers_that_come_in_pieces_are_put_together() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(2 * len(pack("PING")))
        for piece in (b"+PO", b"NG\r\n-ERR ", b"no\r\n"):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()

    async with linked(serve) as link:
        answers = await link.exchange(pack("PING") * 2, 2)
    assert answers[0] == b"PONG"
    assert isinstance(answers[1], hiredis.ReplyError)
    assert link.received == len(b"+PONG\r\n-ERR no\r\n")


@pytest.mark.asyncio
async def test_a_refusal_is_told_with_its_command() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(len(pack("PING")))
        writer.write(b"-NOPERM no\r\n")
        await reader.read()

    async with linked(serve) as link:
        with pytest.raises(RefusedError, match="PING: NOPERM no"):
            await link.call("PING")


@pytest.mark.asyncio
async def test_a_server_that_leaves_is_told_at_once_and_ever_after() -> None:
    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)

    async with linked(serve) as link:
        for _ in range(2):
            with pytest.raises((EOFError, OSError)):
                await link.call("PING")


@pytest.mark.asyncio
@pytest.mark.parametrize("sent", [pack("PING"), b"x" * LARGE], ids=["no answer", "takes nothing"])
async def test_a_server_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(redis_link, "SILENCE_SECONDS", 0.2)
    released = asyncio.Event()

    async def serve(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await released.wait()

    async with linked(serve) as link:
        with pytest.raises(TimeoutError, match="no answer within"):
            await link.exchange(sent, 1)
        released.set()


@pytest.mark.asyncio
async def test_a_server_that_is_slow_and_not_silent_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The silence counts from the last byte, not from the question."""
    monkeypatch.setattr(redis_link, "SILENCE_SECONDS", 0.5)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(len(pack("PING")))
        for byte in b"$4\r\nslow\r\n":
            writer.write(bytes((byte,)))
            await asyncio.sleep(0.1)
        await reader.read()

    async with linked(serve) as link:
        assert await link.call("PING") == b"slow"


@pytest.mark.asyncio
async def test_what_the_server_takes_slowly_arrives_whole() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(LARGE)
        writer.write(b"+OK\r\n")
        await reader.read()

    async with linked(serve) as link:
        assert await link.exchange(b"x" * LARGE, 1) == [b"OK"]
