"""One WebSocket to a venue, from its opening to its end. What it reads goes to `take`, frame by frame."""

import asyncio
import logging
import ssl
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from himari_runtime.messages import PAYLOAD_BYTES_MOST

OPEN_SECONDS = 10.0
CLOSE_SECONDS = 1.0
PING_SECONDS = 20.0
QUEUED_FRAMES = 1024  # beyond it the socket is not read: TCP tells the venue
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
    """An open connection. `reading` ends with it and raises what `take` raised; `leaving` is set when another should
    take its place. Times are of the monotonic clock, in seconds."""

    def __init__(self, line: int, socket: ClientConnection, take: "Take") -> None:
        self.line = line
        self.opened = self.heard = time.monotonic()
        self.frames = 0
        self.reached: dict[str, int] = {}  # by symbol, the last id of its book
        self.why = ""
        self.leaving = asyncio.Event()
        self.answers: asyncio.Queue[str] = asyncio.Queue()  # to requests: empty, or why one was refused
        self._garbled: deque[float] = deque(maxlen=GARBLED_MOST)
        self._socket = socket
        self._take = take
        self.reading = asyncio.create_task(self._read(), name=f"line {line}")

    @classmethod
    async def open(cls, line: int, target: Target, take: "Take") -> Self:
        """Connects and subscribes; returns when the venue has confirmed every request. Raises RefusedError."""
        try:
            socket = await connect(
                target.url,
                ssl=target.tls,
                compression=None,
                proxy=None,
                max_queue=QUEUED_FRAMES,
                max_size=PAYLOAD_BYTES_MOST,
                open_timeout=OPEN_SECONDS,
                close_timeout=CLOSE_SECONDS,
                ping_interval=PING_SECONDS,
                ping_timeout=PING_SECONDS,
            )
        except (OSError, TimeoutError, WebSocketException) as error:
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
        await asyncio.wait([self.reading])
        await self._socket.close()

    async def _subscribe(self, target: Target) -> None:
        try:
            async with asyncio.timeout(OPEN_SECONDS + target.pace_seconds * len(target.requests)):
                for number, request in enumerate(target.requests):
                    await asyncio.sleep(target.pace_seconds if number else 0)
                    await self._socket.send(request, text=True)
                for _ in target.requests:
                    await self._answer()
        except TimeoutError:
            raise RefusedError("the venue does not answer a subscription") from None
        except ConnectionClosed as error:
            raise RefusedError(f"closed while subscribing: {error}") from None

    async def _answer(self) -> None:
        answer = asyncio.create_task(self.answers.get())
        await asyncio.wait([answer, self.reading], return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            self.reading.result()  # raises what ended it
            raise RefusedError(f"{self.why} while subscribing")
        if answer.result():
            raise RefusedError(f"subscription refused: {answer.result()}")

    async def _read(self) -> None:
        while True:
            try:
                payload = await self._socket.recv(decode=False)
            except ConnectionClosed as error:
                log.warning("line %s: %s", self.line, error)
                self.why = self.why or CLOSED
                return
            self.frames += 1
            self.heard = time.monotonic()
            self._take(self, payload)


Take = Callable[[Session, bytes], None]

CLOSED = "closed"
