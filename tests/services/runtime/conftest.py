"""An edge and a brain around one Redis: their settings, their processes, what they hold."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from himari_runtime.messages import Position, Record
from himari_runtime.settings import CollectorSettings, ConsumerSettings, load
from himari_runtime.sinks.parquet_files import stored_files
from himari_runtime.sinks.parquet_reader import stored
from himari_runtime.transport.reader import JournalReader
from tests.services.conftest import RedisServer, free_port

EDGE = Path(__file__).with_name("edge.py")
FOREVER_NS = 1 << 62
COLLECTOR = """\
[source]
name = "edge"
[metrics]
address = "127.0.0.1"
port = 1
[venue]
name = "binance"
symbols = ["BTC/USDT"]
websocket_url = "wss://localhost:1"
rest_url = "https://localhost:1"
ca_file = ""
snapshot_levels = 1000
book_poll_seconds = 300
weight_per_minute = 6000
lines = 2
line_life_seconds = 82800
[journal]
path = "{root}/journal"
max_bytes = {journal_bytes}
segment_bytes = {segment_bytes}
min_free_bytes = 0
segment_seconds = 60
fsync_ms = 20
[buffer]
host = "127.0.0.1"
port = {port}
user = "pusher"
credential = "redis-pusher"
linger_ms = 5
window_records = {window}
"""
CONSUMER = """\
[source]
name = "edge"
[metrics]
address = "192.0.2.1"  # never there: the consumer must do without
port = 9465
[venue]
name = "binance"
symbols = ["BTC/USDT"]
[buffer]
host = "127.0.0.1"
port = {port}
user = "reader"
credential = "redis-reader"
[segments]
host = "127.0.0.1"
port = {segments_port}
[parquet]
path = "{root}/parquet"
min_free_bytes = 0
flush_seconds = {flush_seconds}
flush_bytes = 67108864
[deadman]
silence_seconds = 60
disk_free = 0.2
gap_seconds = 60
webhook_credential = ""
state_file = "{root}/deadman.json"
edge_metrics_url = "http://127.0.0.1:1/metrics"
"""
SEGMENTS = """\
[listen]
address = "127.0.0.1"
port = {segments_port}
[metrics]
address = "192.0.2.1"  # never there: it must do without
port = 9467
[journal]
path = "{root}/journal"
bytes_per_s = {bytes_per_s}
"""


class Site:
    """The folders and settings files of an edge and a brain."""

    def __init__(self, root: Path, port: int) -> None:
        self.root = root
        self.port = port
        self.segments_port = free_port()
        self.segments_file = root / "segments.toml"
        self.collector_file = root / "collector.toml"
        self.consumer_file = root / "consumer.toml"
        self._processes: list[subprocess.Popen[bytes]] = []
        self.configure()

    def configure(
        self,
        *,
        segment_bytes: int = 200_000,
        window: int = 10_000_000,
        flush_seconds: float = 0.3,
        journal_bytes: int = 1_000_000_000,
        catch_up_bytes_per_s: int = 1_000_000_000,
    ) -> None:
        """Writes all settings files."""
        places = {"root": self.root, "port": self.port, "segments_port": self.segments_port}
        kept = {"segment_bytes": segment_bytes, "window": window, "journal_bytes": journal_bytes}
        self.collector_file.write_text(COLLECTOR.format(**places, **kept))
        self.consumer_file.write_text(CONSUMER.format(**places, flush_seconds=flush_seconds))
        self.segments_file.write_text(SEGMENTS.format(**places, bytes_per_s=catch_up_bytes_per_s))

    @property
    def collector(self) -> CollectorSettings:
        return load(self.collector_file, CollectorSettings)

    @property
    def consumer(self) -> ConsumerSettings:
        return load(self.consumer_file, ConsumerSettings)

    def start_edge(self, total: int, per_turn: int = 20) -> subprocess.Popen[bytes]:
        """A collector's journal and pusher over made-up frames."""
        return self._start(EDGE, self.collector_file, str(total), str(per_turn))

    def start_consumer(self) -> subprocess.Popen[bytes]:
        """The real service."""
        return self._start(*self.consumer_command()[1:])

    def consumer_command(self) -> list[str | Path]:
        """What starts the real service."""
        return self._command("consumer", self.consumer_file)

    def start_segments(self) -> subprocess.Popen[bytes]:
        """The edge's server of sealed segments; returns once it answers."""
        server = self._start(*self._command("segments", self.segments_file)[1:])
        await_that(lambda: answers(self.segments_port))
        return server

    def _command(self, service: str, settings: Path) -> list[str | Path]:
        code = "from himari_runtime.main import main; main()"
        return [sys.executable, "-c", code, service, "--settings", settings]

    def _start(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, *arguments])
        self._processes.append(process)
        return process

    def end(self) -> None:
        """Kills what a failed test left."""
        for process in self._processes:
            process.kill()
            process.wait()

    def journaled(self) -> list[Record]:
        """All records of the journal, in order; none before there is one."""
        found: list[Record] = []
        if not (self.root / "journal").exists():
            return found
        reader = JournalReader(self.root / "journal", Position(0, 0))
        while records := reader.read(1 << 20):
            found += records
        reader.close()
        return found

    def journaled_size(self) -> int:
        """Bytes of the journal; 0 before there is one."""
        return sum(path.stat().st_size for path in (self.root / "journal").glob("0*-*"))

    def stored(self) -> list[Record]:
        """All rows in Parquet, in file order."""
        return list(stored(self.root / "parquet", "edge", "binance", -FOREVER_NS, FOREVER_NS))

    def cursor(self) -> Position:
        """What Parquet's file names say is stored."""
        files = stored_files(self.root / "parquet", "edge", "binance")
        return files[-1].last if files else Position(0, 0)


def answers(port: int) -> bool:
    """Whether something on loopback takes connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def await_that(condition: Callable[[], bool], seconds: float = 40.0) -> None:
    """Returns once `condition` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def site(tmp_path: Path, redis_server: RedisServer, credentials: Path) -> Iterator[Site]:
    """An edge and a brain around one Redis."""
    found = Site(tmp_path, redis_server.port)
    yield found
    found.end()
