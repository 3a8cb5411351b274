"""What a WebSocket brings becomes whole messages; those that came together stay together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve

from himari_runtime.feeds.socket import Socket

Handler = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def socket_on(handler: Handler) -> AsyncIterator[Socket]:
    async with serve(handler, "127.0.0.1", 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        socket = await Socket.open(f"ws://127.0.0.1:{port}/", None)
        yield socket
        await socket.close()


async def heard(socket: Socket) -> list[list[bytes]]:
    """All that is given until the connection ends, call by call."""
    calls: list[list[bytes]] = []
    socket.hear(calls.append)
    await asyncio.wait_for(asyncio.shield(socket.closed), 15)
    return calls


def flat(calls: list[list[bytes]]) -> list[bytes]:
    return [message for call in calls for message in call]


@pytest.mark.asyncio
async def test_a_message_in_fragments_is_one_and_binary_ones_count() -> None:
    async def pieces(connection: ServerConnection) -> None:
        await connection.send(["one ", "and ", "the same"])
        await connection.send(b"bytes")

    async with socket_on(pieces) as socket:
        assert flat(await heard(socket)) == [b"one and the same", b"bytes"]


@pytest.mark.asyncio
async def test_what_came_before_somebody_listened_is_given_at_once_and_first() -> None:
    async def early(connection: ServerConnection) -> None:
        await connection.send("first")
        await connection.send("second")
        await connection.recv()
        await connection.send("third")

    async with socket_on(early) as socket:
        await socket._transport.measure_roundtrip_time(1)  # its pong comes behind both
        socket.send(b"go on")
        assert await heard(socket) == [[b"first", b"second"], [b"third"]]


@pytest.mark.asyncio
async def test_pings_are_answered_and_hold_nothing_back() -> None:
    async def pinging(connection: ServerConnection) -> None:
        await connection.send("before")
        await (await connection.ping())  # its pong: the client's answer
        await connection.send("after")

    async with socket_on(pinging) as socket:
        assert flat(await heard(socket)) == [b"before", b"after"]


@pytest.mark.asyncio
async def test_why_it_ended_is_told() -> None:
    async def leaving(connection: ServerConnection) -> None:
        await connection.close(1001, "shutdown")

    async def torn(connection: ServerConnection) -> None:
        connection.transport.abort()

    async with socket_on(leaving) as socket:
        await heard(socket)
        assert "shutdown" in socket.closed.result()
    async with socket_on(torn) as socket:
        await heard(socket)
        assert socket.closed.result() == "connection lost"
