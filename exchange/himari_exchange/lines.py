"""Lines: a WebSocket with its subscriptions, its bounded queue and its faults."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aiohttp import WSCloseCode, WSMsgType, web

from himari_exchange.frames import Frame
from himari_exchange.ledger import Ledger
from himari_exchange.orders import Faults
from himari_exchange.settings import Limits

log = logging.getLogger(__name__)

BATCH = 64  # frames that are written into the ledger at once, just before they are sent


class Line:
    """One connection. `abort` drops the socket with what its buffers hold."""

    def __init__(
        self,
        number: int,
        socket: web.WebSocketResponse,
        *,
        abort: Callable[[], None],
        ledger: Ledger,
        limits: Limits,
        combined: bool,
    ) -> None:
        self.number, self.socket, self.abort, self.combined = number, socket, abort, combined
        self.streams: set[str] = set()
        self.faults = Faults()
        self._ledger, self._limits = ledger, limits
        self._queue: deque[Frame] = deque()
        self._filled = asyncio.Event()
        self._stalled_until = 0.0
        self._unanswered_since: float | None = None

    def offer(self, frame: Frame) -> None:
        """Queue a frame; a line that is too far behind is dropped, as the venue does, so that memory stays bounded."""
        if len(self._queue) >= self._limits.queued_frames:
            self._queue.clear()
            self.abort()
            return
        self._queue.append(frame)
        self._filled.set()

    def stall(self, seconds: float) -> None:
        """Send no frames for `seconds`."""
        self._stalled_until = asyncio.get_running_loop().time() + seconds

    def answered(self) -> None:
        """A pong came."""
        self._unanswered_since = None

    async def send(self) -> None:
        """Send what is queued until the connection ends."""
        try:
            while True:
                await self._filled.wait()
                await asyncio.sleep(max(0.0, self._stalled_until - asyncio.get_running_loop().time()))
                await self._send_batch()
        except OSError as error:  # the connection's, or the ledger's: nothing is sent that is not noted
            log.info("line %d ends: %s", self.number, error)
            self.abort()

    async def keep(self) -> None:
        """Ping, drop the line when no pong comes, and end it at the age at which the venue does."""
        now = asyncio.get_running_loop().time
        ends, next_ping = now() + self._limits.line_life_seconds, now() + self._limits.ping_seconds
        try:
            while now() < ends:
                if now() >= next_ping:
                    next_ping += self._limits.ping_seconds
                    self._unanswered_since = self._unanswered_since or now()
                    await self.socket.ping(b"%d" % self.number)
                if self._patience(now()) <= 0:
                    self.abort()
                    return
                await asyncio.sleep(max(0.0, min(ends - now(), next_ping - now(), self._patience(now()))))
            await self.socket.close(code=WSCloseCode.GOING_AWAY, message=b"end of life")
        except ConnectionError:
            self.abort()

    def _patience(self, now: float) -> float:
        """Seconds that the client still has to answer."""
        waited = 0.0 if self._unanswered_since is None else now - self._unanswered_since
        return self._limits.pong_seconds - waited

    async def _send_batch(self) -> None:
        frames: list[Frame] = []
        while self._queue and len(frames) < BATCH:
            frames += self.faults.apply(self._queue.popleft())
        if not self._queue:
            self._filled.clear()
        if self.socket.closed:
            raise ConnectionResetError
        self._ledger.sent(self.number, frames)
        for frame in frames:
            await self.socket.send_frame(frame.text(combined=self.combined), WSMsgType.TEXT)


class Lines:
    """All open lines, and which of them want which stream."""

    def __init__(self, ledger: Ledger, limits: Limits) -> None:
        self._ledger, self._limits = ledger, limits
        self._open: dict[int, Line] = {}
        self._wanted: dict[str, set[Line]] = {}
        self.closed = False  # no line may be opened any more

    @contextmanager
    def opened(self, socket: web.WebSocketResponse, *, abort: Callable[[], None], combined: bool) -> Iterator[Line]:
        """A line for `socket`, in the ledger from open to close."""
        number = self._ledger.open_line()
        line = Line(number, socket, abort=abort, ledger=self._ledger, limits=self._limits, combined=combined)
        self._open[number] = line
        try:
            yield line
        finally:
            self.unsubscribe(line, set(line.streams))
            del self._open[number]
            self._ledger.close_line(number)

    def subscribe(self, line: Line, streams: set[str]) -> None:
        line.streams |= streams
        for stream in streams:
            self._wanted.setdefault(stream, set()).add(line)

    def unsubscribe(self, line: Line, streams: set[str]) -> None:
        line.streams -= streams
        for stream in streams & self._wanted.keys():
            self._wanted[stream].discard(line)
            if not self._wanted[stream]:
                del self._wanted[stream]

    def publish(self, frame: Frame) -> None:
        """Queue a frame for every line that subscribed its stream."""
        for line in self._wanted.get(frame.stream, ()):
            line.offer(frame)

    def chosen(self, number: int | None) -> list[Line]:
        """The line with this number, or all of them."""
        return [line for line in self._open.values() if number in (None, line.number)]

    async def close(self) -> None:
        """Close every line with the code of a server that goes away, for good."""
        self.closed = True
        closing = [line.socket.close(code=WSCloseCode.GOING_AWAY, message=b"shutdown") for line in self.chosen(None)]
        await asyncio.gather(*closing, return_exceptions=True)
