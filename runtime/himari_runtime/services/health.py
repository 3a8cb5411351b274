"""The runtime's part of `himari status`: how full, how old, how far behind."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from himari_runtime.messages import Gap, Heartbeat, Kind, Position, Record, streams
from himari_runtime.room import free_bytes
from himari_runtime.settings import CollectorSettings, ConsumerSettings, Settings, SettingsError, credential
from himari_runtime.transport.chunks import Chunk, ChunkError, Packer
from himari_runtime.transport.reader import JournalReader
from himari_runtime.transport.redis_link import LOST, RedisLink, last_ids
from himari_runtime.transport.segments import Segment, segments
from himari_runtime.venues import registry

RECENT_NS = 3600 * 10**9
LOOKBACK_NS = 600 * 10**9


class JournalHealth(msgspec.Struct, frozen=True):
    """Ages in seconds, by the records' receive times; None where there is no record."""

    bytes: int
    segments: int
    oldest_age_s: float | None
    newest_age_s: float | None
    last: str
    lines: int | None = None  # that should carry the venue, and that do, by the newest heartbeat
    lines_up: int | None = None


class StreamHealth(msgspec.Struct, frozen=True):
    """A stream of the buffer; `age_s` is since its last record was received, None where that is no longer known."""

    name: str
    last_id: str
    length: int
    age_s: float | None = None


class ParquetHealth(msgspec.Struct, frozen=True):
    """The store: bytes and number of the files beside its newest, those of one day; its cursor; and the age of its
    newest record and of the venue's newest frame.

    A frame that is older than ten minutes is told as ten minutes old."""

    bytes: int
    files: int
    cursor: str
    last_age_s: float | None
    free_bytes: int
    last_frame_age_s: float | None = None


class Health(msgspec.Struct, frozen=True):
    """One host's. `error` says why the buffer could not be asked or the store not be read."""

    source: str
    journal: JournalHealth | None = None
    parquet: ParquetHealth | None = None
    streams: list[StreamHealth] = []
    backlog_records: int | None = None
    gaps: list[Gap] = []  # of the last hour
    error: str = ""


async def run(settings: Settings) -> None:
    """Prints Health as JSON."""
    found = await health(settings)
    sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")


async def health(settings: Settings) -> Health:
    """What the settings' host holds; a buffer that does not answer, or a store that cannot be read, is part of it."""
    try:
        asked, error = await _streams(settings), ""
    except (*LOST, SettingsError, ChunkError) as failure:
        place = f"{settings.buffer.host}:{settings.buffer.port}"
        asked, error = [], f"the buffer at {place} cannot be asked: {_reason(failure)}"
    if isinstance(settings, CollectorSettings):
        return _edge(settings, asked, error)
    try:
        return _brain(settings, asked, error)
    except (OSError, ValueError) as failure:  # what is no Parquet is a ValueError
        unread = f"{settings.parquet.path}: {failure}"
        return Health(settings.source.name, streams=asked, error="; ".join(filter(None, (error, unread))))


def _reason(failure: Exception) -> str:
    """Without Python's own words where the system has some."""
    if isinstance(failure, OSError) and failure.errno:
        return os.strerror(failure.errno)
    return str(failure) or type(failure).__name__


async def _streams(settings: Settings) -> list[StreamHealth]:
    link = await RedisLink.open(settings.buffer, credential(settings.buffer.credential))
    try:
        found = await last_ids(link, list(streams(settings.venue.name, settings.venue.symbols)))
        times: dict[str, int | None] = {}
        if isinstance(settings, CollectorSettings):  # the pusher may not read entries; the journal tells
            times |= _times(settings.journal.path, {state.id for state in found.values()})
        else:
            for name, state in found.items():
                times[state.id] = await _received(link, settings.venue.name, name, state.id)
        return [StreamHealth(name, state.id, state.length, _age(times.get(state.id))) for name, state in found.items()]
    finally:
        link.close()


async def _received(link: RedisLink, venue: str, name: str, entry_id: str) -> int | None:
    """When the last record of an entry was received."""
    for found_id, fields in await link.call("XRANGE", name, entry_id, entry_id):
        return Packer(registry.primer(venue)).unpack(Chunk.of(found_id, fields)).records[-1].received_ns
    return None


def _times(folder: Path, ids: set[str]) -> dict[str, int]:
    """When these records were received, as far as the journal's last two segments know."""
    found: dict[str, int] = {}
    for record in _records(segments(folder)[-2:]):
        if (name := str(record.position)) in ids:
            found[name] = record.received_ns
    return found


def _edge(settings: CollectorSettings, asked: list[StreamHealth], error: str) -> Health:
    folder = settings.journal.path
    files = segments(folder)
    last, newest_ns, beat = _newest(files)
    pushed = max((Position.parse(stream.last_id) for stream in asked), default=Position(0, 0))
    backlog = last.n - pushed.n if asked and last.epoch == pushed.epoch else None
    journal = JournalHealth(
        bytes=sum(_size(segment.path) for segment in files),
        segments=len(files),
        oldest_age_s=_age(_first_ns(files[0])) if files else None,
        newest_age_s=_age(newest_ns),
        last=str(last),
        lines=beat.lines if beat else None,
        lines_up=beat.lines_up if beat else None,
    )
    return Health(settings.source.name, journal=journal, streams=asked, backlog_records=backlog, error=error)


def _brain(settings: ConsumerSettings, asked: list[StreamHealth], error: str) -> Health:
    from himari_runtime.services.deadman import stored_frame_ns
    from himari_runtime.sinks.parquet_files import files_of, newest_file
    from himari_runtime.sinks.parquet_reader import gaps_since, newest_received_ns

    root, source, venue = settings.parquet.path, settings.source.name, settings.venue.name
    newest = newest_file(root, source, venue)
    files = files_of(newest.path.parent, source) if newest else []
    since_ns = time.time_ns() - LOOKBACK_NS
    cursor = newest.last if newest else Position(0, 0)
    ahead = max((Position.parse(stream.last_id) for stream in asked), default=Position(0, 0))
    store = ParquetHealth(
        bytes=sum(_size(file.path) for file in files),
        files=len(files),
        cursor=str(cursor),
        last_age_s=_age(newest_received_ns(root, source, venue)),
        last_frame_age_s=_age(stored_frame_ns(settings, since_ns) or since_ns) if files else None,
        free_bytes=free_bytes(root) if root.is_dir() else 0,
    )
    return Health(
        source,
        parquet=store,
        streams=asked,
        backlog_records=ahead.n - cursor.n if asked and ahead.epoch == cursor.epoch else None,
        gaps=gaps_since(root, source, venue, time.time_ns() - RECENT_NS),
        error=error,
    )


def _newest(files: list[Segment]) -> tuple[Position, int | None, Heartbeat | None]:
    """The last record, when it was received, and the last heartbeat of its segment."""
    last, at, beat = Position(0, 0), None, b""
    for record in _records(files[-1:]):
        last, at = record.position, record.received_ns
        beat = record.payload if record.kind == Kind.HEARTBEAT else beat
    return last, at, msgspec.json.decode(beat, type=Heartbeat) if beat else None


def _records(files: list[Segment]) -> Iterator[Record]:
    """All records from the first of these segments on."""
    if files:
        reader = JournalReader(files[0].folder, Position(0, 0), files[0])
        while records := reader.read(4 << 20):
            yield from records
        reader.close()


def _first_ns(segment: Segment) -> int | None:
    reader = JournalReader(segment.folder, Position(0, 0), segment)
    try:
        records = reader.read()
    finally:
        reader.close()
    return records[0].received_ns if records else None


def _age(received_ns: int | None) -> float | None:
    return None if received_ns is None else round((time.time_ns() - received_ns) / 1e9, 3)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # renamed or dropped since it was listed
        return 0
