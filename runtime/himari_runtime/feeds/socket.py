"""A WebSocket as messages. Those that the socket had ready together are given on together."""

import asyncio
import ssl
from collections.abc import Callable

from picows import (
    WSAutoPingStrategy,
    WSCloseCode,
    WSError,
    WSFrame,
    WSInvalidURL,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,
)

from himari_runtime.messages import PAYLOAD_BYTES_MOST

OPEN_SECONDS = 10.0
CLOSE_SECONDS = 1.0
PING_SECONDS = 20.0
FAILED = (OSError, TimeoutError, WSError, WSInvalidURL)  # what a connection that does not come about raises

Deliver = Callable[[list[bytes]], None]


class Socket(WSListener):
    """An open connection; `closed` is done when nothing more comes. `deliver` gets what `hear` was told last.

    Nothing is queued: what `deliver` does is done before the socket is read again, and TCP tells the venue."""

    def __init__(self) -> None:
        self.closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()  # why
        self._deliver: Deliver | None = None
        self._messages: list[bytes] = []
        self._part = bytearray()  # of a message that comes in fragments
        self._due = False
        self._transport: WSTransport

    @classmethod
    async def open(cls, url: str, tls: ssl.SSLContext | None) -> "Socket":
        """Connects; raises what FAILED lists."""
        async with asyncio.timeout(OPEN_SECONDS):
            socket = cls()
            await ws_connect(
                lambda: socket,
                url,
                ssl_context=tls,
                websocket_handshake_timeout=OPEN_SECONDS,
                enable_auto_ping=True,
                auto_ping_strategy=WSAutoPingStrategy.PING_PERIODICALLY,
                auto_ping_idle_timeout=PING_SECONDS,
                auto_ping_reply_timeout=PING_SECONDS,
                max_frame_size=PAYLOAD_BYTES_MOST,
            )
        return socket

    def hear(self, deliver: Deliver) -> None:
        """Messages go to `deliver` from now on, first those that came before."""
        self._deliver = deliver
        self._give()

    def send(self, message: bytes) -> None:
        """A text message; none where the connection has ended."""
        self._transport.send(WSMsgType.TEXT, message)

    async def close(self) -> None:
        """Says goodbye and waits a moment for the answer."""
        self._deliver = None
        self._transport.send_close(WSCloseCode.OK)
        await asyncio.wait([self.closed], timeout=CLOSE_SECONDS)
        self._transport.disconnect(graceful=False)

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind == WSMsgType.TEXT and frame.fin:
            self._messages.append(frame.get_payload_as_bytes())
        elif kind in {WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION}:
            self._join(frame)
        elif kind == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        if frame.last_in_buffer:
            self._give()
        elif not self._due:  # the last may be a pong, which is not told
            self._due = True
            asyncio.get_running_loop().call_soon(self._give)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._give()
        self.closed.set_result(_reason(transport))

    def _give(self) -> None:
        self._due = False
        if self._messages and self._deliver is not None:
            messages, self._messages = self._messages, []
            self._deliver(messages)

    def _join(self, frame: WSFrame) -> None:
        self._part += frame.get_payload_as_bytes()
        if len(self._part) > PAYLOAD_BYTES_MOST:
            self._transport.send_close(WSCloseCode.MESSAGE_TOO_BIG)
            self._transport.disconnect()
        elif frame.fin:
            self._messages.append(bytes(self._part))
            self._part.clear()


def _reason(transport: WSTransport) -> str:
    handshake = transport.close_handshake
    if handshake is None or handshake.recv is None:
        return "connection lost"
    return f"closed by the venue: {handshake.recv.code} {handshake.recv.reason or ''}".rstrip()
