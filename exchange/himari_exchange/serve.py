"""Runs the simulator: the market's loop, the venue's port and the control port, until a signal ends it."""

import asyncio
import logging
import os
import signal
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import time_ns

from aiohttp import web

from himari_exchange.control import Desk
from himari_exchange.errors import SettingsError
from himari_exchange.ledger import Ledger
from himari_exchange.limits import Weights
from himari_exchange.lines import Lines
from himari_exchange.market import Market
from himari_exchange.replay import Replay
from himari_exchange.rest import Rest
from himari_exchange.settings import Settings
from himari_exchange.sockets import Sockets
from himari_exchange.source import Source
from himari_exchange.systemd import JournalFormatter, Notifier

log = logging.getLogger(__name__)

TICK_SECONDS = 0.01
CREDENTIAL = "exchange-key"
CLOSE_SECONDS = 2.0  # for requests under way when it ends


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises SettingsError or RecordingError before anything listens."""
    handler = logging.StreamHandler()
    handler.setFormatter(JournalFormatter("%(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    tls = _tls(Path(settings.listen.certificate_file))
    asyncio.run(_serve(settings, tls, _source(settings)))


def _source(settings: Settings) -> Source:
    now_ns = time_ns()
    if settings.replay:
        note = Path(settings.ledger.path) / "replay.json"
        replay = Replay(Path(settings.replay.path), speed=settings.replay.speed, note=note)
        if replay.resume(now_ns):
            log.info("the replay goes on where it would be by now; remove %s to start it over", note)
        return replay
    market = settings.market
    if market is None:
        raise SettingsError("no source", expected="[market] or [replay]")
    return Market(market.symbols, seed=market.seed, frames_per_s=market.frames_per_s, first_id=now_ns // 1000)


def _tls(certificate: Path) -> ssl.SSLContext:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise SettingsError(
            "the key is missing",
            where="$CREDENTIALS_DIRECTORY",
            expected=f"a folder with the credential {CREDENTIAL}",
            hint=f"systemd sets it for a unit with LoadCredential={CREDENTIAL}; by hand: export it",
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, Path(folder) / CREDENTIAL)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"cannot be loaded with the key {folder}/{CREDENTIAL}: {error}",
            where=f"listen.certificate_file: {certificate}",
        ) from error
    return context


@asynccontextmanager
async def serving(settings: Settings, tls: ssl.SSLContext, source: Source) -> AsyncIterator[asyncio.Task[None]]:
    """Both ports are open and the market moves; gives the market's task. Leaving it closes all lines."""
    ledger = _ledger(settings)
    lines = Lines(ledger, settings.limits)
    venue = web.Application()
    venue.add_routes(Sockets(source, lines, settings.limits).routes())
    venue.add_routes(Rest(source, ledger, Weights(settings.limits.weight_per_minute)).routes())
    desk = web.Application()
    desk.add_routes(Desk(lines, ledger).routes())
    listen, control = settings.listen, settings.control
    try:
        async with _site(venue, listen.address, listen.port, tls), _site(desk, control.address, control.port, None):
            market = asyncio.create_task(_advance(source, lines))
            try:
                yield market
            finally:
                market.cancel()
                await lines.close()
    finally:
        ledger.close()


async def _serve(settings: Settings, tls: ssl.SSLContext, source: Source) -> None:
    async with serving(settings, tls, source) as market:
        log.info("serving on %s:%d", settings.listen.address, settings.listen.port)
        await _until_signalled(market)


def _ledger(settings: Settings) -> Ledger:
    try:
        return Ledger(Path(settings.ledger.path), settings.ledger.max_bytes)
    except OSError as error:
        raise SettingsError(f"cannot be written: {error}", where=f"ledger.path: {settings.ledger.path}") from error


@asynccontextmanager
async def _site(app: web.Application, address: str, port: int, tls: ssl.SSLContext | None) -> AsyncIterator[None]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_SECONDS)
    await runner.setup()
    try:
        await _listen(web.TCPSite(runner, address, port, ssl_context=tls), f"{address}:{port}")
        yield
    finally:
        await runner.cleanup()


async def _listen(site: web.TCPSite, where: str) -> None:
    try:
        await site.start()
    except OSError as error:
        raise SettingsError(f"cannot listen: {error.strerror}", where=where, hint="ss -ltnp shows who does") from error


async def _until_signalled(market: asyncio.Task[None]) -> None:
    """Wait for a signal, or for the market to fail, which is raised."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    waiting = asyncio.create_task(ended.wait())
    await asyncio.wait((market, waiting), return_when=asyncio.FIRST_COMPLETED)
    if market.done():
        market.result()


async def _advance(source: Source, lines: Lines) -> None:
    """The market's loop. Only it tells systemd that all is well, so a market that stands still is restarted."""
    systemd = Notifier()
    every_ns = int(os.environ.get("WATCHDOG_USEC", "20000000")) * 1000 // 3
    systemd.ready()
    told_ns = 0
    while True:
        now_ns = time_ns()
        for frame in source.advance(now_ns):
            lines.publish(frame)
        if abs(now_ns - told_ns) >= every_ns:
            systemd.alive()
            systemd.status(f"{len(lines.chosen(None))} lines")
            told_ns = now_ns
        await asyncio.sleep(TICK_SECONDS)
