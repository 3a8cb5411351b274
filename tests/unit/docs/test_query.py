"""README's query answers over Parquet that the runtime's own sink wrote."""

import json
import re
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

MINUTE_NS = 1_795_219_200 * 10**9  # 2026-11-21 00:00
TRADES = (("100.50000000", "2.00000000", 0), ("101.50000000", "1.00000000", 59), ("99.00000000", "4.00000000", 60))


def trade(n: int, price: str, amount: str, second: int) -> Record:
    data = {"e": "trade", "E": 1, "s": "BTCUSDT", "t": n, "p": price, "q": amount, "T": 1, "m": False, "M": True}
    at_ns = MINUTE_NS + second * 10**9
    return Record(1, n, Kind.FRAME, 0, at_ns, n, json.dumps({"stream": "btcusdt@trade", "data": data}).encode())


def test_the_query_of_the_readme_sums_trades_by_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = parquet_settings(tmp_path / "parquet")
    settings.path.mkdir()
    store = ParquetStore(settings, "edge", "binance", bytes)
    route = registry.router("binance")
    for n, (price, amount, second) in enumerate(TRADES, 1):
        record = trade(n, price, amount, second)
        store.add(record, route(record))
    store.flush()
    (query,) = re.findall(r"```sql\n(.*?)```", (PROJECT / "README.md").read_text(), re.DOTALL)
    rows = duckdb.connect().execute(query).fetchall()
    minutes = [datetime(2026, 11, 21, 0, minute, tzinfo=UTC).replace(tzinfo=None) for minute in (0, 1)]
    assert [row[:4] for row in rows] == [
        ("BTC/USDT", minutes[0], 2, Decimal(3)),
        ("BTC/USDT", minutes[1], 1, Decimal(4)),
    ]
    assert [float(row[4]) for row in rows] == [pytest.approx(302.5 / 3), 99.0]
