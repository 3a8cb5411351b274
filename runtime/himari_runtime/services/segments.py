"""Serves the journal's sealed segments to a brain that was away for longer than the stream holds. Read-only.

`GET /segments` lists them as JSON, `GET /segments/NAME` sends one; both compressed (zstd) and never faster than the
settings say: what they leave of the link is for others who read the live streams meanwhile.
"""

import asyncio
import errno
import logging
import signal
import time
from typing import BinaryIO

import msgspec
import zstandard
from aiohttp import web

from himari_runtime import metrics
from himari_runtime.settings import SegmentsSettings
from himari_runtime.systemd import Notifier
from himari_runtime.transport.pace import Pace
from himari_runtime.transport.sealed import Shelf

PIECE_BYTES = 256 << 10
LEVEL = 3
RETRY_SECONDS = 2.0
TELL_SECONDS = 1.0
LOOK_SECONDS = 10.0
CLOSE_SECONDS = 1.0  # what is being sent may be asked for again

log = logging.getLogger(__name__)


class SegmentServer:
    """The answers; all of them share one pace."""

    def __init__(self, settings: SegmentsSettings) -> None:
        self._shelf = Shelf(settings.journal.path)
        self._pace = Pace(settings.journal.bytes_per_s)
        self.sent = 0

    def app(self) -> web.Application:
        """As aiohttp serves it: two ways, GET alone."""
        app = web.Application()
        app.router.add_get("/segments", self._list, allow_head=False)
        app.router.add_get("/segments/{name}", self._send, allow_head=False)
        return app

    async def look(self) -> None:
        """Lists, so that the metrics tell whether it can."""
        try:
            metrics.SEALED_SEGMENTS.set(len(await asyncio.to_thread(self._shelf.listed)))
        except OSError as error:
            metrics.SEGMENTS_READABLE.set(0)
            log.error("the journal cannot be read: %s", error)
        else:
            metrics.SEGMENTS_READABLE.set(1)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        listed = await asyncio.to_thread(self._shelf.listed)
        packed = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress(msgspec.json.encode(listed))
        await asyncio.sleep(self._pace.delay(len(packed)))
        return web.Response(body=packed, content_type="application/zstd")

    async def _send(self, request: web.Request) -> web.StreamResponse:
        segment = await asyncio.to_thread(self._shelf.find, request.match_info["name"])
        try:
            file = segment.path.open("rb") if segment else None
        except FileNotFoundError:  # dropped for space since it was listed
            file = None
        if file is None:
            return web.Response(status=404, text="no such sealed segment: GET /segments lists those that there are\n")
        with file:
            return await self._stream(request, file)

    async def _stream(self, request: web.Request, file: BinaryIO) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/zstd"})
        await response.prepare(request)
        packer = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compressobj()
        while piece := file.read(PIECE_BYTES):
            await self._write(response, packer.compress(piece))
        await self._write(response, packer.flush())
        await response.write_eof()
        self.sent += 1
        metrics.SERVED_SEGMENTS.inc()
        return response

    async def _write(self, response: web.StreamResponse, data: bytes) -> None:
        if data:
            await asyncio.sleep(self._pace.delay(len(data)))
            await response.write(data)
            metrics.SERVED_BYTES.inc(len(data))


async def run(settings: SegmentsSettings) -> int:
    """The service; returns its exit status. Waits for an address that is not there yet."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = SegmentServer(settings)
    runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=CLOSE_SECONDS)
    await runner.setup()
    serving = [
        asyncio.create_task(_listen(runner, settings)),
        asyncio.create_task(metrics.serve(settings.metrics.address, settings.metrics.port)),
    ]
    try:
        await _tell_until(stop, server, serving)
    finally:
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        await runner.cleanup()
    return 0


async def _listen(runner: web.AppRunner, settings: SegmentsSettings) -> None:
    while True:
        try:
            await web.TCPSite(runner, settings.listen.address, settings.listen.port).start()
        except OSError as error:
            if error.errno not in {errno.EADDRNOTAVAIL, errno.EADDRINUSE}:
                raise
            log.info("waits for %s:%s: %s", settings.listen.address, settings.listen.port, error.strerror)
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return


async def _tell_until(stop: asyncio.Event, server: SegmentServer, serving: list[asyncio.Task[None]]) -> None:
    """Returns when asked to stop; raises what keeps the service from being reached."""
    notifier = Notifier()
    notifier.ready()
    looked = float("-inf")
    while not stop.is_set():
        if time.monotonic() - looked >= LOOK_SECONDS:
            await server.look()
            looked = time.monotonic()
        for task in serving:
            if task.done():
                task.result()
        notifier.alive()
        notifier.status(f"{server.sent} segments sent")
        try:
            await asyncio.wait_for(stop.wait(), TELL_SECONDS)
        except TimeoutError:
            continue
    notifier.stopping()
