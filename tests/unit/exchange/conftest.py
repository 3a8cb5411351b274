"""A simulated venue on loopback, over TLS from a CA that lives as long as the test run."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from himari.stack.paths import StateDir
from himari.vault.authority import Authority
from himari_exchange.market import Market
from himari_exchange.serve import serving
from himari_exchange.settings import Control, LedgerFolder, Limits, Listen, SeededMarket, Settings
from himari_exchange.source import Source
from himari_exchange.statement import Statement, read_statement

FOREVER_NS = 2**62


@dataclass(frozen=True)
class TlsFiles:
    """`credentials` is the folder that systemd would name; it holds `exchange-key`."""

    authority: Path
    certificate: Path
    credentials: Path


@dataclass(frozen=True)
class Venue:
    """A running venue, seen by a client."""

    session: aiohttp.ClientSession
    tls: ssl.SSLContext
    settings: Settings
    market: asyncio.Task[None]

    def websocket(self, path: str, **options: Any) -> Any:
        address = f"wss://127.0.0.1:{self.settings.listen.port}{path}"
        return self.session.ws_connect(address, ssl=self.tls, **options)

    def get(self, path: str) -> Any:
        return self.session.get(f"https://127.0.0.1:{self.settings.listen.port}{path}", ssl=self.tls)

    async def order(self, **order: Any) -> tuple[int, Any]:
        address = f"http://127.0.0.1:{self.settings.control.port}/orders"
        async with self.session.post(address, data=json.dumps(order)) as answer:
            return answer.status, await answer.json()

    def statement(self) -> Statement:
        return read_statement(Path(self.settings.ledger.path), 0, FOREVER_NS)


StartVenue = Callable[..., AbstractAsyncContextManager[Venue]]


@pytest.fixture(scope="session")
def tls_files(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority.open(StateDir(folder))
    issued = authority.issue("exchange", ["127.0.0.1"])
    for name, text in (("ca.pem", authority.certificate), ("exchange.pem", issued.certificate)):
        (folder / name).write_text(text)
    (folder / "exchange-key").write_text(issued.key)
    return TlsFiles(folder / "ca.pem", folder / "exchange.pem", folder)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports


@pytest.fixture
def make_settings(tmp_path: Path, tls_files: TlsFiles) -> Callable[..., Settings]:
    def make(symbols: tuple[str, ...] = ("BTCUSDT",), frames_per_s: float = 400, **limits: Any) -> Settings:
        port, control = free_ports(2)
        return Settings(
            listen=Listen(address="127.0.0.1", port=port, certificate_file=str(tls_files.certificate)),
            control=Control(address="127.0.0.1", port=control),
            ledger=LedgerFolder(path=str(tmp_path / "ledger"), max_bytes=1 << 28),
            market=SeededMarket(symbols=symbols, seed=7, frames_per_s=frames_per_s),
            limits=Limits(**limits),
        )

    return make


@pytest.fixture
def start_venue(make_settings: Callable[..., Settings], tls_files: TlsFiles) -> StartVenue:
    """Serves a seeded market (or `source`) under the given limits while the context lasts."""

    @asynccontextmanager
    async def start(source: Source | None = None, **wanted: Any) -> AsyncIterator[Venue]:
        settings = make_settings(**wanted)
        seeded = settings.market
        assert seeded is not None
        market = Market(seeded.symbols, seed=7, frames_per_s=seeded.frames_per_s, first_id=1000)
        served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        served.load_cert_chain(tls_files.certificate, tls_files.credentials / "exchange-key")
        trusting = ssl.create_default_context(cafile=str(tls_files.authority))
        async with serving(settings, served, source or market) as task, aiohttp.ClientSession() as session:
            yield Venue(session, trusting, settings, task)

    return start
