"""What a disk refuses is told with its path, the reason and what mends it; what was taken stays and is stored later."""

import errno
import os
from pathlib import Path

import pytest

from himari_runtime.messages import Channel, Kind, Record, Route
from himari_runtime.sinks.errors import DiskLowError, StoreError, StoreInUseError
from himari_runtime.sinks.lock import StoreLock
from himari_runtime.sinks.parquet import ParquetStore, open_store
from himari_runtime.sinks.parquet_files import stored_files
from himari_runtime.sinks.parquet_reader import stored
from tests.unit.runtime.made import parquet_settings

ROUTE = Route("md:binance:BTC/USDT:trades", "BTC/USDT", Channel.TRADE, 5, 5)
MIDNIGHT_NS = 1_795_219_200 * 10**9  # 2026-11-21
RECORD = Record(1, 1, Kind.FRAME, 1, MIDNIGHT_NS, 1, b"{}")


def filled(root: Path) -> ParquetStore:
    """A store with one record to write."""
    sink = ParquetStore(parquet_settings(root), "edge", "binance", bytes)
    sink.add(RECORD, ROUTE)
    return sink


def read(root: Path) -> list[Record]:
    return list(stored(root, "edge", "binance", 0, 1 << 62))


@pytest.mark.parametrize(
    ("number", "kind", "says"),
    [
        (errno.EIO, StoreError, "the disk fails"),
        (errno.EROFS, StoreError, "mount it writable"),
        (errno.EACCES, StoreError, "let the service's user write there"),
        (errno.EXDEV, StoreError, "see what is at that path"),
        (errno.ENOSPC, DiskLowError, "make room"),
        (errno.EDQUOT, DiskLowError, "quota"),
    ],
)
def test_each_refusal_has_its_kind_and_its_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[StoreError], says: str
) -> None:
    def refuse(_: int) -> None:
        raise OSError(number, os.strerror(number))

    sink = filled(tmp_path)
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StoreError, match=os.strerror(number)) as caught:
        sink.flush()
    assert type(caught.value) is kind
    assert str(tmp_path) in str(caught.value)
    assert says in str(caught.value)
    assert not list(tmp_path.rglob("*.parquet"))
    monkeypatch.undo()
    sink.flush()
    assert (sink.rows, read(tmp_path)) == (0, [RECORD])


def test_a_file_in_the_way_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "venue=binance").mkdir()
    day = tmp_path / "venue=binance" / "date=2026-11-21"
    day.touch()
    sink = filled(tmp_path)
    with pytest.raises(StoreError, match=f"^{day}: File exists"):
        sink.flush()
    day.unlink()
    sink.flush()
    assert read(tmp_path) == [RECORD]


def test_a_disk_that_is_full_while_it_is_written_leaves_nothing_half(tmp_path: Path) -> None:
    sink = filled(tmp_path)
    folder = tmp_path / "venue=binance" / "date=2026-11-21"
    folder.mkdir(parents=True)
    draft = folder / "edge-1.1-1.1.tmp"
    draft.symlink_to("/dev/full")
    with pytest.raises(DiskLowError, match="No space left"):
        sink.flush()
    assert list(folder.iterdir()) == []
    sink.flush()
    assert read(tmp_path) == [RECORD]


def test_a_newest_file_that_is_damaged_is_named(tmp_path: Path) -> None:
    filled(tmp_path).flush()
    [newest] = stored_files(tmp_path, "edge", "binance")
    newest.path.write_bytes(b"no Parquet at all")
    with pytest.raises(StoreError, match=f"^{newest.path}: .*move it away"):
        open_store(parquet_settings(tmp_path), "edge", "binance")


def test_a_store_has_one_writer_and_the_other_is_told_who(tmp_path: Path) -> None:
    first = StoreLock(tmp_path, "edge", "binance")
    with pytest.raises(StoreInUseError, match=rf"edge\.lock: held by process {os.getpid()} since 20\d\d-"):
        StoreLock(tmp_path, "edge", "binance")
    StoreLock(tmp_path, "other", "binance").release()  # its files have other names
    first.release()
    StoreLock(tmp_path, "edge", "binance").release()


def test_a_lock_that_cannot_be_made_is_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "store").touch()
    with pytest.raises(StoreError, match="Not a directory"):
        StoreLock(tmp_path / "store", "edge", "binance")
