"""Settings files of the services: TOML, typed, unknown keys refused, and no defaults: who writes the file decides.

Credentials come from systemd."""

import os
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

Port = Annotated[int, msgspec.Meta(gt=0, lt=65536)]
Count = Annotated[int, msgspec.Meta(gt=0)]
Bytes = Annotated[int, msgspec.Meta(ge=0)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
Rate = Annotated[float, msgspec.Meta(gt=0)]
Fraction = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Text = Annotated[str, msgspec.Meta(min_length=1)]


class SettingsError(Exception):
    """A settings file or a credential is missing or wrong; the text names the file, the key and what was expected."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a settings file."""


class Source(Section, frozen=True, kw_only=True):
    """`[source]`: the edge installation that the data comes from."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*$|^[a-z][a-z0-9-]*[a-z0-9]$")]


class Metrics(Section, frozen=True, kw_only=True):
    """`[metrics]`: where Prometheus reads."""

    address: Text
    port: Port


class CollectedVenue(Section, frozen=True, kw_only=True):
    """`[venue]` of a collector."""

    name: Text
    symbols: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    websocket_url: Annotated[str, msgspec.Meta(pattern=r"^wss?://")]
    rest_url: Annotated[str, msgspec.Meta(pattern=r"^https?://")]
    ca_file: str  # empty: the system's store
    snapshot_levels: Count
    book_poll_seconds: Seconds
    weight_per_minute: Count
    lines: Annotated[int, msgspec.Meta(ge=1, le=2)]  # that carry each symbol
    line_life_seconds: Seconds  # a line is replaced at this age, before the venue cuts it


class StoredVenue(Section, frozen=True, kw_only=True):
    """`[venue]` of a consumer."""

    name: Text
    symbols: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]


class JournalSettings(Section, frozen=True, kw_only=True):
    """`[journal]`: sizes in bytes; the oldest segments go when `max_bytes` or `min_free_bytes` is passed."""

    path: Path
    max_bytes: Count
    segment_bytes: Count
    min_free_bytes: Bytes
    segment_seconds: Seconds
    fsync_ms: Count


class RedisAccess(Section, frozen=True, kw_only=True):
    """How a service reaches the buffer; `credential` names the systemd credential that holds the password."""

    host: Text
    port: Port
    user: Text
    credential: Text


class Listen(Section, frozen=True, kw_only=True):
    """`[listen]`: where a server is reached."""

    address: Text
    port: Port


class ServedJournal(Section, frozen=True, kw_only=True):
    """`[journal]` of the server of segments."""

    path: Path
    bytes_per_s: Rate  # that leave at most, compressed


class SegmentAccess(Section, frozen=True, kw_only=True):
    """`[segments]`: where the edge serves its journal's sealed segments."""

    host: Text
    port: Port


class PushedBuffer(RedisAccess, frozen=True, kw_only=True):
    """`[buffer]` of a collector."""

    window_records: Count
    linger_ms: Annotated[float, msgspec.Meta(ge=0)]


class ParquetSettings(Section, frozen=True, kw_only=True):
    """`[parquet]`."""

    path: Path
    min_free_bytes: Bytes
    flush_seconds: Seconds
    flush_bytes: Count


class DeadmanSettings(Section, frozen=True, kw_only=True):
    """`[deadman]`: when somebody is woken; without a webhook the exit status alone tells."""

    silence_seconds: Seconds
    disk_free: Fraction
    gap_seconds: Seconds
    webhook_credential: str  # empty: none
    state_file: Path
    edge_metrics_url: str  # of the edge's node exporter


class CollectorSettings(Section, frozen=True, kw_only=True):
    """collector.toml."""

    source: Source
    metrics: Metrics
    venue: CollectedVenue
    journal: JournalSettings
    buffer: PushedBuffer


class ConsumerSettings(Section, frozen=True, kw_only=True):
    """consumer.toml; the dead-man reads it too."""

    source: Source
    metrics: Metrics
    venue: StoredVenue
    buffer: RedisAccess
    segments: SegmentAccess
    parquet: ParquetSettings
    deadman: DeadmanSettings


class SegmentsSettings(Section, frozen=True, kw_only=True):
    """segments.toml."""

    listen: Listen
    metrics: Metrics
    journal: ServedJournal


Settings = CollectorSettings | ConsumerSettings
AnySettings = TypeVar("AnySettings", CollectorSettings, ConsumerSettings, SegmentsSettings)


def load(path: Path, wanted: type[AnySettings]) -> AnySettings:
    """The settings in `path`; raises SettingsError with the file and the key that is wrong."""
    return _decode(path, _read(path), wanted)


def load_any(path: Path) -> Settings:
    """Whichever settings `path` holds: a collector's has `[journal]`."""
    text = _read(path)
    try:
        tables = msgspec.toml.decode(text)
    except msgspec.DecodeError as error:
        raise SettingsError(f"{path}: not TOML: {error}") from None
    return _decode(path, text, CollectorSettings) if "journal" in tables else _decode(path, text, ConsumerSettings)


def credential(name: str) -> str:
    """The systemd credential `name`, without its last newline; raises SettingsError where it is missing."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    if not folder:
        raise SettingsError(
            f"credential {name}: CREDENTIALS_DIRECTORY is not set: run under systemd, or point it at a folder"
        )
    try:
        return (Path(folder) / name).read_text().rstrip("\n")
    except OSError as error:
        raise SettingsError(
            f"credential {name}: {Path(folder) / name}: {error.strerror}: the unit needs LoadCredential for it"
        ) from None


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _path(wanted: type, value: object) -> Path:
    if wanted is Path and isinstance(value, str) and Path(value).is_absolute():
        return Path(value)
    raise ValueError(f"expected an absolute path, got {value!r}")


def _decode(path: Path, text: str, wanted: type[AnySettings]) -> AnySettings:
    try:
        return msgspec.toml.decode(text, type=wanted, dec_hook=_path)
    except msgspec.ValidationError as error:
        says, _, where = str(error).partition(" - at ")
        key = where.strip("`").removeprefix("$.").removeprefix("$")
        raise SettingsError(f"{path}: {key or 'top level'}: {says}") from None
    except msgspec.DecodeError as error:
        raise SettingsError(f"{path}: not TOML: {error}") from None
