"""A connection to Redis of the least kind: commands packed by hiredis, answers in order, bytes counted."""

import asyncio
from typing import Any, NamedTuple

import hiredis

from himari_runtime.settings import RedisAccess

CONNECT_SECONDS = 3.0
SILENCE_SECONDS = 5.0  # nobody is told that a tunnel or a Redis hangs; a long answer over a slow link may take longer
READ_BYTES = 256 << 10


def pack(*command: str | int | bytes) -> bytes:
    """A command as it crosses the wire."""
    words: Any = command  # hiredis' stub knows tuples of one element only
    packed: bytes = hiredis.pack_command(words)
    return packed


class RefusedError(Exception):
    """Redis answered with an error; the text is Redis' own."""


LOST = (OSError, EOFError, TimeoutError, RefusedError)  # what ends a connection and calls for another


class RedisLink:
    """One authenticated connection, for one task."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._answers = hiredis.Reader()
        self.received = 0  # bytes

    @classmethod
    async def open(cls, access: RedisAccess, password: str) -> "RedisLink":
        """Connects and authenticates; raises what LOST lists."""
        async with asyncio.timeout(CONNECT_SECONDS):
            link = cls(*await asyncio.open_connection(access.host, access.port))
            try:
                await link.call("AUTH", access.user, password)
            except BaseException:
                link.close()
                raise
        return link

    async def call(self, *command: str | int | bytes) -> Any:
        """Sends one command and returns its answer; raises RefusedError."""
        (answer,) = await self.exchange(pack(*command), 1)
        if isinstance(answer, hiredis.ReplyError):
            raise RefusedError(f"{command[0]!s}: {answer}")
        return answer

    async def exchange(self, packed: bytes, answers: int) -> list[Any]:
        """Sends packed commands and returns that many answers, errors among them; raises TimeoutError on silence."""
        self._writer.write(packed)
        if self._writer.transport.get_write_buffer_size():  # else the kernel has taken all
            async with asyncio.timeout(SILENCE_SECONDS):
                await self._writer.drain()
        found: list[Any] = []
        while len(found) < answers:
            answer = self._answers.gets()
            if answer is False:
                await self._receive()
            else:
                found.append(answer)
        return found

    def close(self) -> None:
        """At once: what a Redis that hangs has not taken would otherwise be waited for."""
        self._writer.transport.abort()

    async def _receive(self) -> None:
        async with asyncio.timeout(SILENCE_SECONDS):
            data = await self._reader.read(READ_BYTES)
        if not data:
            raise EOFError("Redis closed the connection")
        self.received += len(data)
        self._answers.feed(data)


class StreamState(NamedTuple):
    """Of a stream: the last id that it ever had and its number of entries; `0-0` and 0 where it does not exist."""

    id: str
    length: int


async def last_ids(link: RedisLink, names: list[str]) -> dict[str, StreamState]:
    """Asks streams for their state; raises RefusedError."""
    packed = b"".join(pack("XINFO", "STREAM", name) for name in names)
    answers = await link.exchange(packed, len(names))
    return {name: _state(answer) for name, answer in zip(names, answers, strict=True)}


def _state(answer: Any) -> StreamState:
    if isinstance(answer, hiredis.ReplyError):
        if "no such key" in str(answer):
            return StreamState("0-0", 0)
        raise RefusedError(f"XINFO STREAM: {answer}")
    found = dict(zip(answer[::2], answer[1::2], strict=True))
    return StreamState(found[b"last-generated-id"].decode(), found[b"length"])
