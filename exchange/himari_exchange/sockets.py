"""The venue's WebSocket: the two kinds of address, and the requests that a line may make."""

import asyncio
from collections.abc import Callable
from socket import SO_SNDBUF, SOL_SOCKET
from time import time_ns

import msgspec
from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from himari_exchange.errors import RequestError
from himari_exchange.limits import Connections, Inbound
from himari_exchange.lines import Line, Lines
from himari_exchange.settings import Limits
from himari_exchange.source import Source

LARGEST_REQUEST = 256 * 1024  # bytes
KERNEL_BUFFER = 256 * 1024  # bytes
CLOSE_SECONDS = 1.0  # how long a close frame may stay unanswered
METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")


class Request(msgspec.Struct):
    """What a client may send."""

    method: str
    params: list[str | bool] = []
    id: int | str | None = None


class Sockets:
    """Serves `/stream?streams=a/b` (with the wrapper) and `/ws/a/b` (without)."""

    def __init__(self, source: Source, lines: Lines, limits: Limits) -> None:
        self._source, self._lines, self._limits = source, lines, limits
        self._connections = Connections(limits.connections_per_five_minutes)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/stream", self._combined),
            web.get("/ws", self._raw),
            web.get("/ws/{streams:.+}", self._raw),
        ]

    async def _combined(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, request.query.get("streams", ""), combined=True)

    async def _raw(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, request.match_info.get("streams", ""), combined=False)

    async def _serve(self, request: web.Request, named: str, *, combined: bool) -> web.StreamResponse:
        if self._lines.closed:
            return web.Response(status=503, text="Going away")
        if not self._connections.admit(request.remote or "", asyncio.get_running_loop().time()):
            return web.Response(status=429, text="Too many connections", headers={"Retry-After": "300"})
        socket = web.WebSocketResponse(
            autoping=False, compress=False, max_msg_size=LARGEST_REQUEST, timeout=CLOSE_SECONDS
        )
        await socket.prepare(request)
        # The kernel's share of what a slow client may hold; it would let this grow to megabytes.
        _transport(request).get_extra_info("socket").setsockopt(SOL_SOCKET, SO_SNDBUF, KERNEL_BUFFER)
        with self._lines.opened(socket, abort=_aborter(request), combined=combined) as line:
            tasks = [asyncio.create_task(line.send()), asyncio.create_task(line.keep())]
            try:
                await self._converse(line, {stream for stream in named.split("/") if stream})
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        return socket

    async def _converse(self, line: Line, streams: set[str]) -> None:
        """Take the client's messages until the line ends, or breaks a rule and is ended."""
        inbound = Inbound(self._limits.inbound_per_second)
        if not self._subscribe(line, streams):
            await line.socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"Too many streams")
        async for message in line.socket:
            if not inbound.admit(asyncio.get_running_loop().time()):
                await line.socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"Too many requests")
                return
            await self._take(line, message)

    async def _take(self, line: Line, message: WSMessage) -> None:
        if message.type is WSMsgType.PING:
            await line.socket.pong(message.data)
        elif message.type is WSMsgType.PONG:
            line.answered()
        elif message.type is WSMsgType.TEXT:
            await line.socket.send_frame(self._answer(line, message.data), WSMsgType.TEXT)

    def _answer(self, line: Line, text: str) -> bytes:
        identity: int | str | None = None
        try:
            request = _parse(text)
            identity = request.id
            return msgspec.json.encode({"result": self._do(line, request), "id": identity})
        except RequestError as refused:
            return msgspec.json.encode({"error": {"code": refused.code, "msg": str(refused)}, "id": identity})

    def _do(self, line: Line, request: Request) -> list[str] | bool | None:
        match request.method, request.params:
            case "LIST_SUBSCRIPTIONS", _:
                return sorted(line.streams)
            case "SET_PROPERTY", ["combined", bool(combined)]:
                line.combined = combined
            case "GET_PROPERTY", ["combined"]:
                return line.combined
            case (("SET_PROPERTY" | "GET_PROPERTY"), _):
                raise RequestError(0, "Unknown property")
            case "SUBSCRIBE", params:
                if not self._subscribe(line, _streams(params)):
                    raise RequestError(2, f"Invalid request: at most {self._limits.streams_per_line} streams")
            case "UNSUBSCRIBE", params:
                self._lines.unsubscribe(line, _streams(params))
        return None

    def _subscribe(self, line: Line, streams: set[str]) -> bool:
        if len(line.streams | streams) > self._limits.streams_per_line:
            return False
        self._lines.subscribe(line, streams)
        if streams:
            self._source.begin(time_ns())
        return True


def _parse(text: str) -> Request:
    try:
        request = msgspec.json.decode(text, type=Request)
    except msgspec.ValidationError as error:
        raise RequestError(2, f"Invalid request: {error}") from error
    except msgspec.DecodeError as error:
        raise RequestError(3, f"Invalid JSON: {error}") from error
    if request.method not in METHODS:
        known = ", ".join(f"`{method}`" for method in METHODS)
        raise RequestError(2, f"Invalid request: unknown variant `{request.method}`, expected one of {known}")
    return request


def _streams(params: list[str | bool]) -> set[str]:
    return {stream for stream in params if isinstance(stream, str)}


def _aborter(request: web.Request) -> Callable[[], None]:
    return _transport(request).abort


def _transport(request: web.Request) -> asyncio.Transport:
    """Raises ConnectionResetError when the client is gone already."""
    if request.transport is None:
        raise ConnectionResetError
    return request.transport
