"""One connection to a venue: connects, reads, connects again. What it reads goes to `take`, frame by frame."""

import asyncio
import logging
import ssl
import time
from collections.abc import Callable

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from himari_runtime.backoff import Backoff
from himari_runtime.feeds import counters
from himari_runtime.feeds.budget import ConnectionBudget
from himari_runtime.messages import PAYLOAD_BYTES_MOST

OPEN_SECONDS = 10.0
CLOSE_SECONDS = 1.0
PING_SECONDS = 20.0
STABLE_SECONDS = 60.0
BACKOFF_FIRST, BACKOFF_MOST = 0.25, 30.0
QUEUED_FRAMES = 1024  # beyond it the socket is not read: TCP tells the venue

SHUTDOWN = "shutdown"
IDLE = "idle"
CLOSED = "closed"
REFUSED = "refused"

log = logging.getLogger(__name__)


class Line:
    """`take` gets each frame and returns True to have the line replaced at once; `up` and `down` frame its lives."""

    def __init__(
        self,
        number: int,
        url: str,
        tls: ssl.SSLContext | None,
        budget: ConnectionBudget,
        *,
        idle_seconds: float,
        take: Callable[[bytes], bool],
        up: Callable[[], None],
        down: Callable[[], None],
    ) -> None:
        self.reconnects = 0
        self._number = number
        self._url = url
        self._tls = tls
        self._budget = budget
        self._idle_seconds = idle_seconds
        self._take = take
        self._up = up
        self._down = down
        self._backoff = Backoff(BACKOFF_FIRST, BACKOFF_MOST)
        self._failures = 0

    async def run(self) -> None:
        """Holds the line until cancelled; passes on what `take` raises."""
        while True:
            await asyncio.sleep(self._budget.wait())
            began = time.monotonic()
            why = await self._session()
            self.reconnects += 1
            counters.RECONNECTS.labels(why).inc()
            wait = self._pause(why, time.monotonic() - began)
            log.warning("line %s %s: again in %.2f s", self._number, why, wait)
            await asyncio.sleep(wait)

    def _pause(self, why: str, lived: float) -> float:
        """Seconds before the next attempt: none for the first, then full jitter until a line has been stable."""
        if lived >= STABLE_SECONDS:
            self._failures = 0
            self._backoff.reset()
        self._failures += 1
        at_once = self._failures == 1 or (why == SHUTDOWN and lived >= OPEN_SECONDS)
        return 0.0 if at_once else self._backoff.next()

    async def _session(self) -> str:
        try:
            socket = await connect(
                self._url,
                ssl=self._tls,
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
            log.warning("line %s: cannot connect: %s: %s", self._number, type(error).__name__, error)
            return REFUSED
        return await self._live(socket)

    async def _live(self, socket: ClientConnection) -> str:
        counters.LINE_UP.labels(self._number).set(1)
        self._up()
        try:
            return await self._read(socket)
        finally:
            counters.LINE_UP.labels(self._number).set(0)
            self._down()
            await socket.close()

    async def _read(self, socket: ClientConnection) -> str:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._idle_seconds) as idle:
                while True:
                    try:
                        payload = await socket.recv(decode=False)
                    except ConnectionClosed as error:
                        log.warning("line %s: %s", self._number, error)
                        return CLOSED
                    if self._take(payload):
                        return SHUTDOWN
                    idle.reschedule(loop.time() + self._idle_seconds)
        except TimeoutError:
            if not idle.expired():
                raise
            return IDLE
