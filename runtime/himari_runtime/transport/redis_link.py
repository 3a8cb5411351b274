"""A connection to Redis of the least kind: commands packed by hiredis, answers in order, bytes counted."""

import asyncio
from typing import Any, NamedTuple, cast

import hiredis

from himari_runtime.settings import RedisAccess

CONNECT_SECONDS = 3.0
SILENCE_SECONDS = 5.0  # nobody is told that a tunnel or a Redis hangs; a long answer over a slow link may take longer


def pack(*command: str | int | bytes) -> bytes:
    """A command as it crosses the wire."""
    words: Any = command  # hiredis' stub knows tuples of one element only
    packed: bytes = hiredis.pack_command(words)
    return packed


class RefusedError(Exception):
    """Redis answered with an error; the text is Redis' own."""


LOST = (OSError, EOFError, TimeoutError, RefusedError)  # what ends a connection and calls for another


class RedisLink(asyncio.Protocol):
    """One authenticated connection, for one task.

    A protocol of its own: a push is one exchange, and streams with a timer for each cost more than the push does."""

    def __init__(self) -> None:
        self._answers = hiredis.Reader()
        self._loop = asyncio.get_running_loop()
        self._lost: Exception | None = None
        self._waiting: asyncio.Future[None] | None = None  # for more bytes, or for room
        self._since = 0.0  # of the loop's clock: when the wait began
        self._watch: asyncio.TimerHandle | None = None
        self._is_paused = False
        self._transport: asyncio.Transport
        self.received = 0  # bytes

    @classmethod
    async def open(cls, access: RedisAccess, password: str) -> "RedisLink":
        """Connects and authenticates; raises what LOST lists."""
        async with asyncio.timeout(CONNECT_SECONDS):
            link = await cls.connect(access.host, access.port)
            try:
                await link.call("AUTH", access.user, password)
            except BaseException:
                link.close()
                raise
        return link

    @classmethod
    async def connect(cls, host: str, port: int) -> "RedisLink":
        """Connects only; raises OSError."""
        _, link = await asyncio.get_running_loop().create_connection(cls, host, port)
        return link

    async def call(self, *command: str | int | bytes) -> Any:
        """Sends one command and returns its answer; raises RefusedError."""
        (answer,) = await self.exchange(pack(*command), 1)
        if isinstance(answer, hiredis.ReplyError):
            raise RefusedError(f"{command[0]!s}: {answer}")
        return answer

    async def exchange(self, packed: bytes, answers: int) -> list[Any]:
        """Sends packed commands and returns that many answers, errors among them; raises TimeoutError on silence."""
        if self._lost is not None:
            raise self._lost
        self._transport.write(packed)
        while self._is_paused:
            await self._wait()
        found: list[Any] = []
        while len(found) < answers:
            answer = self._answers.gets()
            if answer is False:
                await self._wait()
            else:
                found.append(answer)
        return found

    def close(self) -> None:
        """At once: what a Redis that hangs has not taken would otherwise be waited for."""
        self._transport.abort()
        if self._watch is not None:
            self._watch.cancel()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        self._answers.feed(data)
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose(exc or EOFError("Redis closed the connection"))

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        self._wake()

    async def _wait(self) -> None:
        """Returns when something came or went; raises what ended the connection."""
        if self._lost is not None:
            raise self._lost
        self._waiting = self._loop.create_future()
        self._since = self._loop.time()
        if self._watch is None:
            self._watch = self._loop.call_later(SILENCE_SECONDS, self._look)
        try:
            await self._waiting
        finally:
            self._waiting = None

    def _look(self) -> None:
        """One timer for all waits: whether the present one has been too long."""
        self._watch = None
        if self._waiting is None:
            return
        left = self._since + SILENCE_SECONDS - self._loop.time()
        if left > 0:
            self._watch = self._loop.call_later(left, self._look)
        else:
            self._lose(TimeoutError(f"no answer within {SILENCE_SECONDS:.0f} s"))

    def _lose(self, error: Exception) -> None:
        self._lost = self._lost or error
        self._wake()

    def _wake(self) -> None:
        if self._waiting is None or self._waiting.done():
            return
        if self._lost is None:
            self._waiting.set_result(None)
        else:
            self._waiting.set_exception(self._lost)


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
