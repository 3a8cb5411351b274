"""Reads records back from the Parquet store."""

from collections.abc import Collection, Iterator
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # ships no types

from himari_runtime.messages import Gap, Kind, Record
from himari_runtime.sinks.parquet import DAY_NS, EPOCH_DAY, SCHEMA
from himari_runtime.sinks.parquet_files import files_since, newest_file, newest_first, stored_files

COLUMNS = ["epoch", "n", "kind", "line", "received_ns", "monotonic_ns", "payload"]


def stored(root: Path, source: str, venue: str, from_ns: int, to_ns: int) -> Iterator[Record]:
    """Records received in the window, in order; files whose statistics rule the window out are not read."""
    for file in stored_files(root, source, venue, _day(from_ns), _day(to_ns)):
        yield from _rows(file.path, from_ns, to_ns)


def written(root: Path, source: str, venue: str, from_ns: int, to_ns: int) -> list[tuple[int, int, int]]:
    """Of each file with records of the window: its first and last receive time, and when it was written (ns)."""
    files = stored_files(root, source, venue, _day(from_ns), _day(to_ns))
    found = [(*received_range(file.path), file.path.stat().st_mtime_ns) for file in files]
    return [(first, last, at) for first, last, at in found if first <= to_ns and last >= from_ns]


def received_range(path: Path) -> tuple[int, int]:
    """The least and greatest receive time in a file, from its footer."""
    meta = pq.read_metadata(path)
    column = SCHEMA.get_field_index("received_ns")
    found = [meta.row_group(group).column(column).statistics for group in range(meta.num_row_groups)]
    return min(statistics.min for statistics in found), max(statistics.max for statistics in found)


def newest_received_ns(root: Path, source: str, venue: str) -> int | None:
    """Receive time of the newest record stored; None where none is."""
    newest = newest_file(root, source, venue)
    return received_range(newest.path)[1] if newest else None


def newest_frame_ns(root: Path, source: str, venue: str, channels: Collection[str], since_ns: int) -> int | None:
    """Receive time of the newest stored frame of these channels; None where none came since `since_ns`."""
    for file in newest_first(root, source, venue):
        if received_range(file.path)[1] < since_ns:
            return None
        wanted = [("kind", "==", "frame"), ("channel", "in", list(channels))]
        table = pq.read_table(file.path, columns=["received_ns"], filters=wanted, partitioning=None)
        if times := table.column("received_ns").to_pylist():
            return int(max(times))
    return None


def gaps_since(root: Path, source: str, venue: str, stored_ns: int) -> list[Gap]:
    """The gap records of the files that appeared after `stored_ns`."""
    found = []
    for file in files_since(root, source, venue, stored_ns):
        table = pq.read_table(file.path, columns=["payload"], filters=[("kind", "==", "gap")], partitioning=None)
        found += [msgspec.json.decode(payload, type=Gap) for payload in table.column("payload").to_pylist()]
    return found


def _rows(path: Path, from_ns: int, to_ns: int) -> Iterator[Record]:
    first, last = received_range(path)
    if first > to_ns or last < from_ns:
        return
    table = pq.read_table(path, columns=COLUMNS, partitioning=None)
    columns = (table.column(name).to_pylist() for name in COLUMNS)
    for epoch, n, kind, line, received_ns, monotonic_ns, payload in zip(*columns, strict=True):
        if from_ns <= received_ns <= to_ns:
            yield Record(epoch, n, Kind[kind.upper()], line, received_ns, monotonic_ns, payload)


def _day(time_ns: int) -> date:
    try:
        return EPOCH_DAY + timedelta(days=time_ns // DAY_NS)
    except OverflowError:
        return date.max if time_ns > 0 else date.min
