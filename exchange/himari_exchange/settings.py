"""The simulator's settings file: TOML, typed, unknown keys refused. Only the venue's own limits have defaults."""

import ipaddress
from pathlib import Path
from typing import Annotated

import msgspec

from himari_exchange.errors import SettingsError
from himari_exchange.instrument import split_symbol

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class Listen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where WebSocket and REST are served; the key of the certificate is the systemd credential `exchange-key`."""

    address: str
    port: Port
    certificate_file: str


class Control(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where orders are taken; loopback only."""

    address: str
    port: Port


class LedgerFolder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the ledger is kept, and how large it may grow before its oldest files go."""

    path: str
    max_bytes: Annotated[int, msgspec.Meta(ge=65536)]


class SeededMarket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A market that is made up, but consistent: `frames_per_s` over all symbols."""

    symbols: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=1000)]
    seed: int
    frames_per_s: Positive


class ReplayedMarket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recording (gzip of lines `<receive ns> <frame>`), at `speed` times its own pace."""

    path: str
    speed: Positive


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The venue's limits; the defaults are Binance's."""

    line_life_seconds: Positive = 86_400
    ping_seconds: Positive = 20
    pong_seconds: Positive = 60
    inbound_per_second: Count = 5
    streams_per_line: Count = 1024
    connections_per_five_minutes: Count = 300
    weight_per_minute: Count = 6000
    queued_frames: Count = 10_000  # per line; one that falls further behind is closed


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything the simulator is told; exactly one of `market` and `replay`."""

    listen: Listen
    control: Control
    ledger: LedgerFolder
    market: SeededMarket | None = None
    replay: ReplayedMarket | None = None
    limits: Limits = Limits()


def read_settings(path: Path) -> Settings:
    """The settings in `path`. Raises SettingsError that names the file and the key."""
    try:
        settings = msgspec.toml.decode(path.read_bytes(), type=Settings)
    except OSError as error:
        raise SettingsError(
            f"cannot be read: {error.strerror}", where=str(path), hint="name the file with --settings"
        ) from error
    except msgspec.ValidationError as error:
        what, _, key = str(error).partition(" - at `$.")
        raise SettingsError(what, where=f"{path}: {key.rstrip('`')}" if key else str(path)) from error
    except msgspec.DecodeError as error:
        raise SettingsError(f"is not TOML: {error}", where=str(path)) from error
    _check(settings, path)
    return settings


def _check(settings: Settings, path: Path) -> None:
    if (settings.market is None) == (settings.replay is None):
        raise SettingsError("the source is not clear", where=str(path), expected="either [market] or [replay]")
    if not _is_loopback(settings.control.address):
        raise SettingsError(
            f"{settings.control.address!r} can be reached by others",
            where=f"{path}: control.address",
            expected="a loopback address such as 127.0.0.1",
        )
    symbols = settings.market.symbols if settings.market else ()
    for symbol in symbols:
        _check_symbol(symbol, path)
    if len(set(symbols)) != len(symbols):
        raise SettingsError("a symbol is named twice", where=f"{path}: market.symbols")


def _check_symbol(symbol: str, path: Path) -> None:
    try:
        split_symbol(symbol)
    except ValueError as error:
        raise SettingsError(str(error), where=f"{path}: market.symbols", expected="such as BTCUSDT") from error


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
