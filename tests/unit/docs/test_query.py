"""README's query answers over Parquet that the runtime's own sink wrote; the command around it prints the answer."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from himari.stack.paths import PROJECT
from himari_runtime.messages import Kind, Record
from himari_runtime.sinks.parquet import ParquetStore
from himari_runtime.venues import registry
from tests.unit.runtime.made import parquet_settings

README = (PROJECT / "README.md").read_text()
MINUTE_NS = 1_795_219_200 * 10**9  # 2026-11-21 00:00
TRADES = (("100.50000000", "2.00000000", 0), ("101.50000000", "1.00000000", 59), ("99.00000000", "4.00000000", 60))


def trade(n: int, price: str, amount: str, second: int) -> Record:
    data = {"e": "trade", "E": 1, "s": "BTCUSDT", "t": n, "p": price, "q": amount, "T": 1, "m": False, "M": True}
    at_ns = MINUTE_NS + second * 10**9
    return Record(1, n, Kind.FRAME, 0, at_ns, n, json.dumps({"stream": "btcusdt@trade", "data": data}).encode())


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with `make setup` done, into which three trades have been fetched."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    settings = parquet_settings(tmp_path / ".cache" / "collected" / "parquet")
    settings.path.mkdir(parents=True)
    store = ParquetStore(settings, "edge", "binance", bytes)
    route = registry.router("binance")
    for n, (price, amount, second) in enumerate(TRADES, 1):
        record = trade(n, price, amount, second)
        store.add(record, route(record))
    store.flush()
    return tmp_path


def test_the_query_of_the_readme_sums_trades_by_minute(checkout: Path) -> None:
    (query,) = re.findall(r"<<'SQL'\n(.*?)^SQL$", README, re.DOTALL | re.MULTILINE)
    rows = duckdb.connect().execute(query).fetchall()
    minutes = [datetime(2026, 11, 21, 0, minute, tzinfo=UTC).replace(tzinfo=None) for minute in (0, 1)]
    assert [row[:4] for row in rows] == [
        ("BTC/USDT", minutes[0], 2, Decimal(3)),
        ("BTC/USDT", minutes[1], 1, Decimal(4)),
    ]
    assert [float(row[4]) for row in rows] == [pytest.approx(302.5 / 3), 99.0]


def test_the_command_of_the_readme_works_as_it_stands(checkout: Path) -> None:
    (command,) = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("BTC/USDT") == 2


def test_what_the_readme_fetches_is_ignored_by_git() -> None:
    (folder,) = re.findall(r"tar -x -C (\S+)", README)
    assert subprocess.run(["git", "check-ignore", "-q", f"{folder}/parquet"], cwd=PROJECT, check=False).returncode == 0
