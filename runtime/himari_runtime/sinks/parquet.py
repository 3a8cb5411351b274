"""Parquet files as the store of all records. A file's name says which records it holds, so the names are the cursor.

A file appears whole or not at all: written under a draft's name, synced, renamed, the folder synced. Beside the rows
it carries the consumer's memory at its end, so that a restart knows what the last file knew.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # ships no types

from himari_runtime import metrics
from himari_runtime.durable import sync_folder
from himari_runtime.messages import START, Kind, Position, Record, Route
from himari_runtime.room import free_bytes
from himari_runtime.settings import ParquetSettings
from himari_runtime.sinks.errors import DiskLowError, StoreError, refusals
from himari_runtime.sinks.parquet_files import date_folder, drafts, newest_file, note_folder

SEEN = b"himari.seen"
TEXT = pa.dictionary(pa.int16(), pa.string())
SCHEMA = pa.schema(
    [
        ("epoch", pa.int64()),
        ("n", pa.int64()),
        ("kind", TEXT),
        ("venue", TEXT),
        ("symbol", TEXT),
        ("stream", TEXT),
        ("channel", TEXT),
        ("line", pa.int8()),
        ("first_id", pa.int64()),
        ("last_id", pa.int64()),
        ("received_ns", pa.int64()),
        ("monotonic_ns", pa.int64()),
        ("payload", pa.binary()),
    ]
)
LABELS = ["kind", "venue", "symbol", "stream", "channel"]  # few values: dictionary encoded
KINDS = {kind.value: kind.name.lower() for kind in Kind}
DAY_NS = 86_400 * 10**9
EPOCH_DAY = date(1970, 1, 1)
Row = tuple[Any, ...]


class Batch(msgspec.Struct):
    """Rows of one day that become one file."""

    day: str
    rows: list[Row]
    seen: bytes = b""


class ParquetStore:
    """The files of one source and venue. `seen` gives the consumer's memory when a batch ends."""

    def __init__(self, settings: ParquetSettings, source: str, venue: str, seen: Callable[[], bytes]) -> None:
        self._settings = settings
        self._source = source
        self._venue = venue
        self._seen = seen
        self._full: list[Batch] = []
        self._batch = Batch("", [])
        self._day: int | None = None  # since 1970
        self._folder: Path | None = None  # noted as the one that is written to
        self.rows = 0
        self.payload_bytes = 0

    def add(self, record: Record, where: Route) -> None:
        """Takes a row; it is stored by the next `flush`."""
        if record.received_ns // DAY_NS != self._day:
            self._cut()
            self._day = record.received_ns // DAY_NS
            self._batch.day = (EPOCH_DAY + timedelta(days=self._day)).isoformat()
        self._batch.rows.append(self._row(record, where))
        self.rows += 1
        self.payload_bytes += len(record.payload)

    def flush(self) -> None:
        """Stores all rows taken so far; raises StoreError, after which it may be called again."""
        self._cut()
        while self._full:
            with refusals(self._settings.path):
                self._check_room()
                self._write(self._full[0])
            batch = self._full.pop(0)
            self.rows -= len(batch.rows)
        self.payload_bytes = 0

    def _cut(self) -> None:
        if self._batch.rows:
            self._batch.seen = self._seen()
            self._full.append(self._batch)
        self._batch = Batch(self._batch.day, [])

    def _row(self, record: Record, where: Route) -> Row:
        return (
            record.epoch,
            record.n,
            KINDS[record.kind],
            self._venue,
            where.symbol,
            where.stream,
            where.channel.value,
            record.line,
            where.first_id,
            where.last_id,
            record.received_ns,
            record.monotonic_ns,
            record.payload,
        )

    def _write(self, batch: Batch) -> None:
        folder = date_folder(self._settings.path, self._venue, batch.day)
        if folder != self._folder:
            _make(folder)
            note_folder(self._settings.path, self._source, self._venue, folder)
            self._folder = folder
        first, last = batch.rows[0], batch.rows[-1]
        final = folder / f"{self._source}-{first[0]}.{first[1]}-{last[0]}.{last[1]}.parquet"
        draft = final.with_suffix(".tmp")
        try:
            _write_table(draft, batch)
        except BaseException:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            raise
        draft.rename(final)
        sync_folder(folder)
        metrics.FILES.inc()
        metrics.FILE_BYTES.inc(final.stat().st_size)
        metrics.STORED_NS.set(last[10])

    def _check_room(self) -> None:
        free = free_bytes(self._settings.path)
        metrics.DISK_LOW.set(free < self._settings.min_free_bytes)
        if free < self._settings.min_free_bytes:
            raise DiskLowError(
                f"{self._settings.path}: {free} bytes free of {self._settings.min_free_bytes} to be kept: make room"
            )


def open_store(settings: ParquetSettings, source: str, venue: str) -> tuple[Position, bytes]:
    """Removes drafts; returns the last record stored and the memory in its file (empty where there is none).

    Raises StoreError."""
    with refusals(settings.path):
        settings.path.mkdir(parents=True, exist_ok=True)
        for draft in drafts(settings.path, source, venue):
            draft.unlink()
        newest = newest_file(settings.path, source, venue)
        if newest is None:
            return START, b""
        return newest.last, _memory(newest.path)


def _memory(path: Path) -> bytes:
    try:
        found: bytes = pq.read_metadata(path).metadata.get(SEEN, b"")
    except pa.ArrowInvalid as error:
        raise StoreError(f"{path}: {error}: move it away; the buffer may still have its records") from None
    return found


def _write_table(draft: Path, batch: Batch) -> None:
    arrays = [_array(field, values) for field, values in zip(SCHEMA, zip(*batch.rows, strict=True), strict=True)]
    table = pa.Table.from_arrays(arrays, schema=SCHEMA.with_metadata({SEEN: batch.seen}))
    with draft.open("wb") as file:
        pq.write_table(table, file, compression="zstd", compression_level=3, use_dictionary=LABELS)
        file.flush()
        os.fsync(file.fileno())


def _array(field: Any, values: tuple[Any, ...]) -> Any:
    return pa.array(values, pa.string()).cast(field.type) if field.name in LABELS else pa.array(values, field.type)


def _make(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        for parent in (folder.parent, folder.parent.parent):
            sync_folder(parent)
