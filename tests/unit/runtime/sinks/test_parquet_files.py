"""Looking at a store must not cost more from year to year."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from himari_runtime.messages import Channel, Gap, Kind, Position, Reason, Record, Route
from himari_runtime.sinks.parquet import ParquetStore, open_store
from himari_runtime.sinks.parquet_files import newest_file, stored_files
from himari_runtime.sinks.parquet_reader import gaps_since, newest_frame_ns, newest_received_ns, stored
from tests.unit.runtime.made import parquet_settings

ROUTE = Route("md:binance:BTC/USDT:trades", "BTC/USDT", Channel.TRADE, 5, 5)
DAY_NS = 86_400 * 10**9
TODAY_NS = 1_795_219_200 * 10**9  # 2026-11-21
TODAY = "date=2026-11-21"
LISTED: list[str] = []
LISTENING: list[bool] = []


def heard(event: str, arguments: tuple[object, ...]) -> None:
    if LISTENING and event in {"os.scandir", "os.listdir"}:
        LISTED.append(Path(str(arguments[0])).name)


sys.addaudithook(heard)  # there is no taking it back: it does nothing unless a test listens


@contextmanager
def listed() -> Iterator[list[str]]:
    """The names of the folders that are listed meanwhile."""
    LISTED.clear()
    LISTENING.append(True)
    try:
        yield LISTED
    finally:
        LISTENING.pop()


def write(root: Path, epoch: int, n: int, at_ns: int, kind: Kind = Kind.FRAME) -> None:
    """A file of one record, by a writer that has just started."""
    store = ParquetStore(parquet_settings(root), "edge-1", "binance", lambda: b"memory")
    gap = Gap(venue="v", symbol="s", channel="c", after_id=n, before_id=9, after_ns=3, before_ns=4, reason=Reason.START)
    store.add(Record(epoch, n, kind, 1, at_ns, n, msgspec.json.encode(gap)), ROUTE)
    store.flush()


def years_ago(root: Path) -> None:
    """Two hundred folders of files that were written long ago, and that nobody can read."""
    for day in range(200):
        folder = root / "venue=binance" / f"date=2025-{day // 28 + 1:02}-{day % 28 + 1:02}"
        folder.mkdir(parents=True)
        (folder / f"edge-1-1.{day * 10 + 1}-1.{day * 10 + 10}.parquet").write_bytes(b"not Parquet")
        os.utime(folder, ns=(0, 0))


def dates(names: list[str]) -> set[str]:
    return {name for name in names if name.startswith("date=")}


def test_gaps_are_looked_for_where_files_appeared_whatever_their_dates(tmp_path: Path) -> None:
    years_ago(tmp_path)
    write(tmp_path, 2, 1, TODAY_NS - 20 * DAY_NS, Kind.GAP)  # a consumer that catches up
    write(tmp_path, 2, 2, TODAY_NS, Kind.GAP)
    began_ns = (tmp_path / "venue=binance" / TODAY).stat().st_mtime_ns - 3600 * 10**9
    with listed() as folders:
        assert [gap.after_id for gap in gaps_since(tmp_path, "edge-1", "binance", began_ns)] == [1, 2]
    assert dates(folders) == {TODAY, "date=2026-11-01"}


def test_a_start_looks_where_the_last_file_was_written(tmp_path: Path) -> None:
    years_ago(tmp_path)
    write(tmp_path, 2, 1, TODAY_NS - DAY_NS)
    write(tmp_path, 2, 2, TODAY_NS)
    with listed() as folders:
        assert open_store(parquet_settings(tmp_path), "edge-1", "binance") == ((2, 2), b"memory")
        assert newest_received_ns(tmp_path, "edge-1", "binance") == TODAY_NS
        assert newest_frame_ns(tmp_path, "edge-1", "binance", ["trade"], TODAY_NS - DAY_NS // 2) == TODAY_NS
    assert dates(folders) == {TODAY, "date=2026-11-20"}


def test_a_window_lists_its_own_days(tmp_path: Path) -> None:
    years_ago(tmp_path)
    for day in (-2, -1, 0):
        write(tmp_path, 2, 3 + day, TODAY_NS + day * DAY_NS)
    with listed() as folders:
        found = list(stored(tmp_path, "edge-1", "binance", TODAY_NS - DAY_NS, TODAY_NS - 1))
    assert [record.n for record in found] == [2]
    assert dates(folders) == {"date=2026-11-20"}


def test_a_clock_that_was_set_back_does_not_move_the_cursor_back(tmp_path: Path) -> None:
    write(tmp_path, 1, 1, TODAY_NS)
    write(tmp_path, 2, 1, TODAY_NS + 400 * DAY_NS)
    write(tmp_path, 3, 1, TODAY_NS + DAY_NS)
    assert open_store(parquet_settings(tmp_path), "edge-1", "binance")[0] == Position(3, 1)
    assert newest_frame_ns(tmp_path, "edge-1", "binance", ["trade"], 0) == TODAY_NS + DAY_NS


def test_a_folder_that_was_noted_and_got_no_file_hides_nothing(tmp_path: Path) -> None:
    """The power failed between the note and the file, twice and for other days."""
    write(tmp_path, 1, 1, TODAY_NS)
    for day in (3, 2):
        write(tmp_path, 1, 2, TODAY_NS + day * DAY_NS)
        stored_files(tmp_path, "edge-1", "binance")[-1].path.unlink()
        assert newest(tmp_path) == Position(1, 1)


def test_without_a_note_all_folders_are_looked_through(tmp_path: Path) -> None:
    years_ago(tmp_path)
    assert newest(tmp_path) == Position(1, 2000)
    write(tmp_path, 2, 1, TODAY_NS - 500 * DAY_NS)
    for text in ("", "../elsewhere\n", "date=2031-01-01\n"):
        (tmp_path / "venue=binance" / "edge-1.folder").write_text(text)
        assert newest(tmp_path) == Position(2, 1)


def newest(root: Path) -> Position:
    found = newest_file(root, "edge-1", "binance")
    assert found is not None
    return found.last
