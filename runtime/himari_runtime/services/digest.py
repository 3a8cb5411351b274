"""What a journal or a Parquet store holds of a window: keys and content digests, for the proof."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from himari_runtime.messages import Channel, Gap, Kind, Position, Record
from himari_runtime.settings import CollectorSettings, Settings, SettingsError
from himari_runtime.transport.copies import Copies
from himari_runtime.transport.reader import JournalReader
from himari_runtime.transport.segments import Segment, segments
from himari_runtime.venues import registry
from himari_runtime.venues.dialect import Dialect, Fingerprint

Where = Literal["journal", "parquet"]
READ_BYTES = 4 << 20
LEEWAY_NS = 120 * 10**9  # how far a clock may have been set back between neighbouring records


class Window(msgspec.Struct, frozen=True):
    """Receive times, both ends included."""

    from_ns: int
    to_ns: int

    def __contains__(self, time_ns: int) -> bool:
        return self.from_ns <= time_ns <= self.to_ns


class Event(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An event of the venue; `how` is ws or rest."""

    key: str
    digest: str
    received_ns: int
    how: str


class Digest(msgspec.Struct):
    """What was found; times are the first and last receive time in the window, None where there is no record."""

    source: str
    where: Where
    first_ns: int | None = None
    last_ns: int | None = None
    epochs: list[int] = []
    records: int = 0
    duplicates: int = 0
    copies: int = 0  # frames of the journal that another line had brought
    events: list[Event] = []
    gaps: list[Gap] = []
    unparsed: int = 0
    files: list[tuple[int, int, int]] = []  # Parquet's: first and last receive time, and when it was written


def run(settings: Settings, from_ns: int, to_ns: int, where: str = "") -> None:
    """Prints the digest as JSON; raises SettingsError where the settings have no such store."""
    found = digest(settings, Window(from_ns, to_ns), where)
    sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")


def digest(settings: Settings, window: Window, where: str = "") -> Digest:
    """The digest of the store that the settings name."""
    has: Where = "journal" if isinstance(settings, CollectorSettings) else "parquet"
    if where not in {"", has}:
        raise SettingsError(f"--where {where}: these settings have a {has}; give that, or the other service's file")
    venue = settings.venue.name
    if isinstance(settings, CollectorSettings):
        records, files = journaled(settings.journal.path, window), []
    else:
        from himari_runtime.sinks.parquet_reader import stored, written

        store = settings.parquet.path, settings.source.name, venue, window.from_ns, window.to_ns
        records, files = stored(*store), written(*store)
    empty = Digest(source=settings.source.name, where=has, files=files)
    return summarize(empty, records, window, registry.dialect(venue))


def summarize(found: Digest, records: Iterable[Record], window: Window, dialect: Dialect) -> Digest:
    """Adds the records within the window to `found`."""
    seen: set[Position] = set()
    copies = Copies(dialect.sequenced)
    for record in records:
        repeated = found.where == "journal" and copies.is_copy(record, dialect.route(record))
        if record.received_ns in window:
            if record.line >= 0:  # what the consumer wrote has no n of its own
                found.duplicates += record.position in seen
                seen.add(record.position)
                found.records += 1
            found.copies += repeated
            _add(found, record, dialect, () if repeated else dialect.fingerprints(record))
    found.epochs = sorted({position.epoch for position in seen})
    return found


def _add(found: Digest, record: Record, dialect: Dialect, events: Iterable[Fingerprint]) -> None:
    at = record.received_ns
    found.first_ns = at if found.first_ns is None else min(at, found.first_ns)
    found.last_ns = at if found.last_ns is None else max(at, found.last_ns)
    if record.kind == Kind.GAP:
        found.gaps.append(msgspec.json.decode(record.payload, type=Gap))
        return
    before = len(found.events)
    found.events.extend(Event(key, content, at, how) for key, content, how in events)
    if len(found.events) == before and record.kind == Kind.FRAME:
        found.unparsed += dialect.route(record).channel is Channel.UNPARSED


def journaled(folder: Path, window: Window) -> Iterator[Record]:
    """The journal's records, beginning with the segment that holds the window's start."""
    if not folder.is_dir():
        raise SettingsError(f"{folder}: no journal: has the collector ever run?")
    start = _start(segments(folder), window)
    reader = JournalReader(folder, Position(0, 0), start)
    try:
        while records := reader.read(READ_BYTES):
            if min(record.received_ns for record in records) > window.to_ns + LEEWAY_NS:
                return
            yield from records
    finally:
        reader.close()


def _start(files: list[Segment], window: Window) -> Segment | None:
    """The last segment that begins well before the window, so that older ones need not be read."""
    for segment in reversed(files):
        first = JournalReader(segment.folder, Position(0, 0), segment)
        try:
            records = first.read(64 << 10)
        finally:
            first.close()
        if records and records[0].received_ns < window.from_ns - LEEWAY_NS:
            return segment
    return files[0] if files else None
