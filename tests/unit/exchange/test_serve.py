"""The command as systemd runs it: a process of its own."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.sync.client import ClientConnection, connect

from himari_exchange.settings import Settings

COMMAND = (sys.executable, "-c", "from himari_exchange.main import main; main()")
STREAMS = "/stream?streams=btcusdt@trade/btcusdt@depth@100ms"


class Unit:
    """A simulator, its settings file and the messages it sends to systemd."""

    def __init__(self, settings: Settings, folder: Path, tls_files: Any) -> None:
        self.settings, self.file = settings, folder / "exchange.toml"
        self.file.write_text(_toml(settings))
        self.tls = ssl.create_default_context(cafile=str(tls_files.authority))
        self.told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.told.bind(str(folder / "notify"))
        self.told.settimeout(20)
        self.environment = {
            **os.environ,
            "NOTIFY_SOCKET": str(folder / "notify"),
            "WATCHDOG_USEC": "300000",
            "CREDENTIALS_DIRECTORY": str(tls_files.credentials),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        argv = [*COMMAND, "serve", "--settings", str(self.file)]
        self.process = subprocess.Popen(argv, env=self.environment)
        self.wait_for("READY=1")

    def wait_for(self, message: str) -> None:
        while message not in self.told.recv(4096).decode():
            assert self.process is not None
            assert self.process.poll() is None

    def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=10)

    def connect(self) -> ClientConnection:
        return connect(f"wss://127.0.0.1:{self.settings.listen.port}{STREAMS}", ssl=self.tls, max_queue=None)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [*COMMAND, *arguments, "--settings", str(self.file)]
        return subprocess.run(argv, env=self.environment, capture_output=True, text=True, timeout=30, check=False)

    def ledger(self) -> Any:
        return json.loads(self.run("ledger", "--json").stdout)


def _toml(settings: Settings) -> str:
    """The settings as a file; the sections hold nothing that JSON writes otherwise than TOML."""
    lines = []
    for name, section in msgspec.to_builtins(settings).items():
        if section is not None:
            lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in section.items())]
    return "\n".join(lines)


@pytest.fixture
def unit(make_settings: Callable[..., Settings], tmp_path: Path, tls_files: Any) -> Iterator[Unit]:
    unit = Unit(make_settings(), tmp_path, tls_files)
    yield unit
    if unit.process is not None and unit.process.poll() is None:
        unit.end(signal.SIGKILL)
    unit.told.close()


def test_is_ready_feeds_the_watchdog_and_closes_its_lines_in_the_end(unit: Unit) -> None:
    unit.start()
    for _ in range(3):
        unit.wait_for("WATCHDOG=1")
    with unit.connect() as line:
        line.recv()
        assert unit.end(signal.SIGTERM) == 0
        for _ in line:
            pass
        assert line.close_code == 1001
    assert unit.ledger()["lines"][0]["closed_ns"] is not None


def test_a_killed_simulator_forgets_nothing_and_its_ids_go_on(unit: Unit) -> None:
    unit.start()
    with unit.connect() as line:
        before = [json.loads(line.recv()) for _ in range(50)]
        assert unit.end(signal.SIGKILL) == -signal.SIGKILL
    unit.start()
    with unit.connect() as line:
        after = [json.loads(line.recv()) for _ in range(50)]
    said = unit.ledger()
    sent = {event[0] for event in said["events"]}
    trades = [[one["data"]["t"] for one in some if one["stream"].endswith("trade")] for some in (before, after)]
    diffs = [[one["data"]["u"] for one in some if "depth" in one["stream"]] for some in (before, after)]
    assert {f"t|BTCUSDT|{number}" for number in trades[0] + trades[1]} <= sent
    assert max(trades[0]) < min(trades[1])
    assert max(diffs[0]) < min(diffs[1])
    assert [span["line"] for span in said["lines"]] == [1, 2]
    assert said["lines"][0]["closed_ns"] is not None


def test_orders_are_given_by_the_command(unit: Unit) -> None:
    unit.start()
    refused = unit.run("order", "drop", "--count", "2")
    assert (refused.returncode, "no line is open" in refused.stderr) == (4, True)
    with unit.connect() as line:
        line.recv()
        given = unit.run("order", "drop", "--count", "2", "--stream", "*@trade")
        assert (given.returncode, given.stdout) == (0, "given to line 1\n")
        assert unit.run("order", "cut", "--line", "1").returncode == 0
    (drop, cut) = unit.ledger()["orders"]
    assert (drop["name"], drop["count"], drop["stream"], drop["lines"]) == ("drop", 2, "*@trade", [1])
    assert cut["name"] == "cut"
    assert drop["at_ns"] < cut["at_ns"]
    assert "line 1: " in unit.run("ledger").stdout


def test_an_order_to_nobody_says_where_nobody_is(unit: Unit) -> None:
    refused = unit.run("order", "stall", "--seconds", "1")
    assert refused.returncode == 4
    assert f"127.0.0.1:{unit.settings.control.port}: no answer" in refused.stderr


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda unit: unit.file.write_text("[listen]\nprot = 1\n"), "exchange.toml"),
        (lambda unit: unit.environment.pop("CREDENTIALS_DIRECTORY"), "$CREDENTIALS_DIRECTORY: the key is missing"),
        (lambda unit: unit.environment.update(CREDENTIALS_DIRECTORY="/"), "listen.certificate_file"),
        (lambda unit: unit.file.write_text(unit.file.read_text().replace('/ledger"', '/notify"')), "ledger.path"),
    ],
)
def test_wrong_input_ends_with_two_and_no_traceback(unit: Unit, break_it: Callable[[Unit], object], says: str) -> None:
    break_it(unit)
    ended = unit.run("serve")
    assert ended.returncode == 2
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_port_that_is_taken_is_named(unit: Unit) -> None:
    with socket.create_server(("127.0.0.1", unit.settings.listen.port)):
        ended = unit.run("serve")
    assert ended.returncode == 2
    assert f"127.0.0.1:{unit.settings.listen.port}: cannot listen" in ended.stderr


def test_settings_are_printed_with_their_defaults(unit: Unit) -> None:
    printed = json.loads(unit.run("settings").stdout)
    assert printed["limits"]["ping_seconds"] == 20


def test_tells_its_version() -> None:
    said = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
    assert said.startswith("himari-exchange ")
