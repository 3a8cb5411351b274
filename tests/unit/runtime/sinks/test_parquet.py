import os
from collections import namedtuple
from pathlib import Path

import duckdb
import msgspec
import pytest

from himari_runtime.messages import START, Channel, Gap, Kind, Position, Reason, Record, Route
from himari_runtime.sinks.errors import DiskLowError
from himari_runtime.sinks.parquet import ParquetStore, open_store
from himari_runtime.sinks.parquet_files import stored_files
from himari_runtime.sinks.parquet_reader import gaps_since, newest_received_ns, stored, written
from tests.unit.runtime.made import parquet_settings

ROUTE = Route("md:binance:BTC/USDT:trades", "BTC/USDT", Channel.TRADE, 5, 5)
MIDNIGHT_NS = 1_795_219_200 * 10**9  # 2026-11-21
FOREVER_NS = 1 << 62


def record(n: int, at_ns: int = MIDNIGHT_NS) -> Record:
    return Record(1, n, Kind.FRAME, 1, at_ns, n, b'{"stream": "\xff"}')


def store(root: Path, min_free_bytes: int = 0) -> ParquetStore:
    return ParquetStore(parquet_settings(root, min_free_bytes), "edge-1", "binance", lambda: b"memory")


def reopen(root: Path) -> tuple[Position, bytes]:
    return open_store(parquet_settings(root), "edge-1", "binance")


def read(root: Path, from_ns: int = -FOREVER_NS, to_ns: int = FOREVER_NS) -> list[Record]:
    return list(stored(root, "edge-1", "binance", from_ns, to_ns))


def test_what_is_stored_comes_back_and_names_are_the_cursor(tmp_path: Path) -> None:
    sink = store(tmp_path)
    for n in (1, 2, 3):
        sink.add(record(n), ROUTE)
    sink.flush()
    assert read(tmp_path) == [record(1), record(2), record(3)]
    assert reopen(tmp_path) == ((1, 3), b"memory")
    assert [str(file.path.relative_to(tmp_path)) for file in stored_files(tmp_path, "edge-1", "binance")] == [
        "venue=binance/date=2026-11-21/edge-1-1.1-1.3.parquet"
    ]


def test_an_empty_store_starts_at_the_beginning(tmp_path: Path) -> None:
    assert reopen(tmp_path / "new") == (START, b"")


def test_drafts_are_removed_and_other_sources_left(tmp_path: Path) -> None:
    folder = tmp_path / "venue=binance" / "date=2026-11-21"
    folder.mkdir(parents=True)
    ours, theirs = folder / "edge-1-1.1-1.3.tmp", folder / "edge-2-1.1-1.3.tmp"
    for draft in (ours, theirs):
        draft.touch()
    assert reopen(tmp_path) == (START, b"")
    assert (ours.exists(), theirs.exists()) == (False, True)


def test_midnight_begins_a_file(tmp_path: Path) -> None:
    sink = store(tmp_path)
    for n, at in ((1, -2), (2, -1), (3, 0), (4, 1)):
        sink.add(record(n, MIDNIGHT_NS + at), ROUTE)
    sink.flush()
    files = stored_files(tmp_path, "edge-1", "binance")
    assert [(f.path.parent.name, f.first.n, f.last.n) for f in files] == [
        ("date=2026-11-20", 1, 2),
        ("date=2026-11-21", 3, 4),
    ]


def test_a_window_reads_only_files_that_can_match(tmp_path: Path) -> None:
    sink = store(tmp_path)
    for n in range(1, 4):
        sink.add(record(n, MIDNIGHT_NS + n), ROUTE)
        sink.flush()
    files = stored_files(tmp_path, "edge-1", "binance")
    damage_rows(files[0].path)
    assert [r.n for r in read(tmp_path, MIDNIGHT_NS + 2, MIDNIGHT_NS + 3)] == [2, 3]
    with pytest.raises(OSError, match=r"(?i)page|thrift|decompress|unexpected"):
        read(tmp_path, MIDNIGHT_NS + 1)


def test_the_files_of_a_window_tell_when_they_were_written(tmp_path: Path) -> None:
    sink = store(tmp_path)
    for n in range(1, 4):
        sink.add(record(n, MIDNIGHT_NS + n), ROUTE)
        sink.flush()
    for number, file in enumerate(stored_files(tmp_path, "edge-1", "binance")):
        os.utime(file.path, ns=(0, MIDNIGHT_NS + 10 * number))
    found = written(tmp_path, "edge-1", "binance", MIDNIGHT_NS + 2, MIDNIGHT_NS + 2)
    assert found == [(MIDNIGHT_NS + 2, MIDNIGHT_NS + 2, MIDNIGHT_NS + 10)]
    assert len(written(tmp_path, "edge-1", "binance", MIDNIGHT_NS, MIDNIGHT_NS + 9)) == 3


def damage_rows(path: Path) -> None:
    """Makes the columns unreadable and leaves the footer."""
    data = bytearray(path.read_bytes())
    data[4:400] = bytes(396)
    path.write_bytes(data)


def test_rows_wait_while_the_disk_is_low(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = store(tmp_path, min_free_bytes=1000)
    sink.add(record(1), ROUTE)
    free = namedtuple("free", "f_bavail f_frsize")
    monkeypatch.setattr(os, "statvfs", lambda _: free(1, 999))
    with pytest.raises(DiskLowError, match="999 bytes free of 1000"):
        sink.flush()
    assert (sink.rows, read(tmp_path)) == (1, [])
    monkeypatch.undo()
    sink.add(record(2), ROUTE)
    sink.flush()
    assert (sink.rows, read(tmp_path)) == (0, [record(1), record(2)])


def test_duckdb_reads_it_with_partitions(tmp_path: Path) -> None:
    sink = store(tmp_path)
    sink.add(record(1), ROUTE)
    sink.flush()
    rows = duckdb.read_parquet(f"{tmp_path}/*/*/*.parquet")
    assert rows.project("symbol, channel, kind, venue, first_id").fetchall() == [
        ("BTC/USDT", "trade", "frame", "binance", 5)
    ]


def test_the_newest_record_and_the_gaps_of_new_files(tmp_path: Path) -> None:
    assert newest_received_ns(tmp_path, "edge-1", "binance") is None
    gap = msgspec.json.encode(
        Gap(venue="v", symbol="s", channel="c", after_id=1, before_id=2, after_ns=3, before_ns=4, reason=Reason.START)
    )
    sink = store(tmp_path)
    sink.add(Record(1, 1, Kind.GAP, 1, MIDNIGHT_NS, 1, gap), ROUTE)
    sink.add(record(2, MIDNIGHT_NS + 5), ROUTE)
    sink.flush()
    assert newest_received_ns(tmp_path, "edge-1", "binance") == MIDNIGHT_NS + 5
    assert [found.after_id for found in gaps_since(tmp_path, "edge-1", "binance", 0)] == [1]
    assert gaps_since(tmp_path, "edge-1", "binance", FOREVER_NS) == []
