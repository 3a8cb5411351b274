"""One WebSocket to a venue, from its opening to its end. What it reads goes to `take`, as it comes."""

import asyncio
import logging
import ssl
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, Self

from himari_runtime.feeds.socket import FAILED, OPEN_SECONDS, Socket

GARBLED_MOST = 3  # frames that mean nothing, in GARBLED_SECONDS: the line is not to be trusted
GARBLED_SECONDS = 60.0

log = logging.getLogger(__name__)


class RefusedError(Exception):
    """The venue cannot be reached, or does not let us in."""


class Target(NamedTuple):
    """How a line reaches its venue: where, how it is verified, what it asks for and at most how often (seconds)."""

    url: str
    tls: ssl.SSLContext | None
    requests: tuple[bytes, ...]
    pace_seconds: float


class Session:
    """An open connection. `reading` is done when it ends and raises what `take` raised; `leaving` is set when another
    should take its place. Times are of the monotonic clock, in seconds."""

    def __init__(self, line: int, socket: Socket, take: "Take") -> None:
        self.line = line
        self.opened = self.heard = time.monotonic()
        self.frames = 0
        self.began: dict[str, int] = {}  # by symbol, the first id of its book
        self.reached: dict[str, int] = {}  # and the last
        self.why = ""
        self.leaving = asyncio.Event()
        self.answers: asyncio.Queue[str] = asyncio.Queue()  # to requests: empty, or why one was refused
        self._garbled: deque[float] = deque(maxlen=GARBLED_MOST)
        self._socket = socket
        self._take = take
        self.reading: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        socket.closed.add_done_callback(self._end)
        socket.hear(self._read)

    @classmethod
    async def open(cls, line: int, target: Target, take: "Take") -> Self:
        """Connects and subscribes; returns when the venue has confirmed every request. Raises RefusedError."""
        try:
            socket = await Socket.open(target.url, target.tls)
        except FAILED as error:
            raise RefusedError(f"cannot connect: {type(error).__name__}: {error}") from None
        session = cls(line, socket, take)
        try:
            await session._subscribe(target)
        except BaseException:
            await session.close()
            raise
        return session

    @property
    def is_open(self) -> bool:
        return not self.reading.done()

    def advance(self, symbol: str, first_id: int, last_id: int) -> None:
        """An update of a book came."""
        self.began.setdefault(symbol, first_id)
        self.reached[symbol] = last_id

    def joins(self, other: "Session", symbol: str) -> bool:
        """Whether its book goes on where that of `other` stands: nothing between them is missing, and it has come as
        far."""
        stands = other.reached[symbol]
        return symbol in self.began and self.began[symbol] <= stands + 1 and self.reached[symbol] >= stands

    def leave(self, why: str) -> None:
        """Another session should take its place; this one goes on until then."""
        if not self.leaving.is_set():
            self.why = why
            self.leaving.set()

    def note_garbled(self) -> bool:
        """A frame that means nothing; True where there were too many of them."""
        self._garbled.append(time.monotonic())
        return len(self._garbled) == GARBLED_MOST and self._garbled[-1] - self._garbled[0] < GARBLED_SECONDS

    def abandon(self, why: str) -> None:
        """Nothing more is read from it."""
        self.why = self.why or why
        self.reading.cancel()

    async def close(self) -> None:
        """Ends it; safe to call again. What `take` raised stays in `reading`."""
        self.reading.cancel()
        await self._socket.close()

    async def _subscribe(self, target: Target) -> None:
        try:
            async with asyncio.timeout(OPEN_SECONDS + target.pace_seconds * len(target.requests)):
                for number, request in enumerate(target.requests):
                    await asyncio.sleep(target.pace_seconds if number else 0)
                    self._socket.send(request)
                for _ in target.requests:
                    await self._answer()
        except TimeoutError:
            raise RefusedError("the venue does not answer a subscription") from None

    async def _answer(self) -> None:
        if refusal := await self._next_answer():
            raise RefusedError(f"subscription refused: {refusal}")

    async def _next_answer(self) -> str:
        if not self.answers.empty():  # it may have come together with the end
            return self.answers.get_nowait()
        answer = asyncio.create_task(self.answers.get())
        await asyncio.wait([answer, self.reading], return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            self.reading.result()  # raises what ended it
            raise RefusedError(f"{self.why} while subscribing")
        return answer.result()

    def _read(self, payloads: list[bytes]) -> None:
        if self.reading.done():
            return
        self.frames += len(payloads)
        self.heard = time.monotonic()
        try:
            self._take(self, payloads)
        except Exception as error:
            self.reading.set_exception(error)

    def _end(self, closed: asyncio.Future[str]) -> None:
        if not self.reading.done():
            log.warning("line %s: %s", self.line, closed.result())
            self.why = self.why or CLOSED
            self.reading.set_result(None)


Take = Callable[[Session, list[bytes]], None]

CLOSED = "closed"
