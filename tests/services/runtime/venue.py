"""The simulated venue and a collector on it, as processes, and what each of them says afterwards."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from himari.stack.paths import StateDir
from himari.vault.authority import Authority
from himari_runtime.messages import START, Channel, Gap, Position, Record
from himari_runtime.services.digest import Digest, Window, digest
from himari_runtime.settings import CollectorSettings, load
from himari_runtime.transport.reader import JournalReader
from himari_runtime.venues.registry import route
from tests.services.conftest import free_port

FOREVER_NS = 1 << 62
WRONG_SETTINGS = 2  # a port that is taken is one
BIN = Path(sys.executable).parent

EXCHANGE = """\
[listen]
address = "127.0.0.1"
port = {port}
certificate_file = "{root}/exchange.pem"
[control]
address = "127.0.0.1"
port = {control}
[ledger]
path = "{root}/ledger"
max_bytes = 268435456
[market]
symbols = ["BTCUSDT", "ETHUSDT"]
seed = 7
frames_per_s = 400
"""
COLLECTOR = """\
[source]
name = "edge"
[metrics]
address = "127.0.0.1"
port = {metrics}
[venue]
name = "binance"
symbols = ["BTC/USDT", "ETH/USDT"]
websocket_url = "wss://localhost:{venue}"
rest_url = "https://localhost:{venue}"
ca_file = "{root}/exchange.pem"
snapshot_levels = 1000
lines = 2
line_life_seconds = {life}
book_poll_seconds = 2
weight_per_minute = 6000
[journal]
path = "{root}/journal"
max_bytes = 1_000_000_000
segment_bytes = 200_000
min_free_bytes = 0
segment_seconds = 60
fsync_ms = 200
[buffer]
host = "127.0.0.1"
port = {buffer}
user = "pusher"
credential = "redis-pusher"
linger_ms = 5
window_records = 1_000_000
"""


class Venue:
    """`himari-exchange serve` on a port of its own, with a certificate of its own."""

    def __init__(self, root: Path, credentials: Path) -> None:
        self.root = root
        self.port = 0
        self.settings = root / "exchange.toml"
        authority = Authority.open(StateDir(root))
        issued = authority.issue("exchange", ["localhost"])
        # One file for both: the venue shows the first of it, the collector trusts the last.
        (root / "exchange.pem").write_text(issued.certificate + authority.certificate)
        (credentials / "exchange-key").write_text(issued.key)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it listens, on ports that nobody else took meanwhile."""
        while not self._serves():
            self.port = free_port()
            self.settings.write_text(EXCHANGE.format(port=self.port, control=free_port(), root=self.root))

    def _serves(self) -> bool:
        if not self.port:
            return False
        process = self._process = subprocess.Popen([BIN / "himari-exchange", "serve", "--settings", self.settings])
        until(lambda: _listens(self.port) or process.poll() is not None, "the exchange listens")
        assert process.poll() in {None, WRONG_SETTINGS}
        return process.poll() is None

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(10)

    def order(self, *order: str) -> None:
        """A fault on every open line."""
        subprocess.run([BIN / "himari-exchange", "order", *order, "--settings", self.settings], check=True)

    def open_lines(self) -> list[int]:
        """The numbers of the lines that are open, oldest first."""
        return [line["line"] for line in self.ledger()["lines"] if line["closed_ns"] is None]

    def ledger(self) -> dict[str, Any]:
        """All that was sent so far."""
        done = subprocess.run(
            [BIN / "himari-exchange", "ledger", "--json", "--settings", self.settings], check=True, capture_output=True
        )
        said: dict[str, Any] = msgspec.json.decode(done.stdout)
        return said


class Collector:
    """`himari-runtime collector`; its journal outlives its processes."""

    def __init__(self, root: Path, venue_port: int, buffer_port: int, *, life_seconds: float = 3600) -> None:
        self.metrics_port = free_port()
        self.path = root / "collector.toml"
        self.path.write_text(
            COLLECTOR.format(
                metrics=self.metrics_port, venue=venue_port, buffer=buffer_port, root=root, life=life_seconds
            )
        )
        self.settings = load(self.path, CollectorSettings)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **environment: str) -> None:
        """Returns when there is a journal, or when the process has ended."""
        self.process = process = subprocess.Popen(
            [BIN / "himari-runtime", "collector", "--settings", self.path], env={**os.environ, **environment}
        )
        until(lambda: self.settings.journal.path.exists() or process.poll() is not None, "a journal")

    def kill(self) -> None:
        """SIGKILL: nothing is drained."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def metrics(self) -> str:
        """What Prometheus would read."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics") as answer:
            said: str = answer.read().decode()
        return said

    def digest(self) -> Digest:
        """What the journal holds now."""
        return digest(self.settings, Window(0, FOREVER_NS), "journal")

    def records(self) -> list[Record]:
        """Every record of the journal."""
        reader = JournalReader(self.settings.journal.path, START)
        found = []
        while records := reader.read(1 << 20):
            found += records
        reader.close()
        return found

    def await_hole(self, after: Position, symbol: str, channel: Channel) -> None:
        """Returns as soon as ids are left out in the journal behind `after`."""
        reader = JournalReader(self.settings.journal.path, after)
        due = 0

        def is_left_out() -> bool:
            nonlocal due
            for where in (route("binance", record) for record in reader.read(1 << 20)):
                if (where.symbol, where.channel) == (symbol, channel):
                    if due and where.first_id > due:
                        return True
                    due = max(due, where.last_id + 1)
            return False

        until(is_left_out, f"a hole in {channel} of {symbol}", turn=0.002)
        reader.close()

    def channels(self) -> set[Channel]:
        """What kinds of records the journal holds."""
        return {route("binance", record).channel for record in self.records()}

    def await_events(self, more: int) -> None:
        """Returns when the journal holds `more` events than now."""
        want = len(self.digest().events) + more
        until(lambda: len(self.digest().events) >= want, f"{want} events are journaled")

    def await_gaps(self, condition: Callable[[list[Gap]], bool], what: str) -> None:
        until(lambda: condition(self.digest().gaps), what)


def account(ledger: dict[str, Any], held: Digest, until_ns: int) -> tuple[set[str], set[str]]:
    """Keys that were sent until then and are neither held nor in an open gap; keys that are held and were never sent.

    A key counts as held only with the content that was sent.
    """
    sent = {(key, content): sent_ns for key, content, sent_ns, _, _ in ledger["events"]}
    have = {(event.key, event.digest) for event in held.events}
    lost = {key for (key, content), at in sent.items() if at <= until_ns and (key, content) not in have}
    return {key for key in lost if not _disclosed(key, held.gaps)}, {key for key, content in have - sent.keys()}


def _disclosed(key: str, gaps: list[Gap]) -> bool:
    kind, symbol, first, *_ = key.split("|")
    channel = {"t": "trade", "d": "depth", "b": "book_ticker"}[kind]
    return any(
        gap.channel == channel
        and gap.symbol.replace("/", "") == symbol
        and (gap.after_id is None or gap.after_id < int(first))
        and (gap.before_id is None or int(first) < gap.before_id)
        for gap in gaps
        if not gap.filled
    )


def until(condition: Callable[[], bool], what: str, seconds: float = 30, turn: float = 0.05) -> None:
    """Waits for a condition; fails by name when it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(turn)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
