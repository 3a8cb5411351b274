"""How long each stop holds data, GB a day and symbol, and what does not fit hosts, disks or link."""

from math import ceil

import msgspec

from himari.stack.errors import CapacityError
from himari.stack.model import Role, Stack, Venue
from himari.stack.sizes import (
    DAY_S,
    GB,
    MIB,
    STREAM_SHARE,
    SYSTEM_MEMORY_MB,
    EdgeSizes,
    brain_sizes,
    catch_up_factor,
    edge_sizes,
    linger_ms,
    stack_rates,
    usable_disk,
    venue_rates,
)


class SymbolDay(msgspec.Struct, frozen=True, kw_only=True):
    """GB a day and symbol at each stop, for a symbol of average rate."""

    venue: str
    symbols: int
    raw: float
    journal: float
    stream: float
    link: float
    parquet: float


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """How long one stop of one host holds data."""

    host: str
    stop: str  # journal, stream, parquet
    bytes: int
    hours: float
    days_until_full: float | None = None  # None: the stop drops its oldest and never fills


def symbol_days(stack: Stack) -> tuple[SymbolDay, ...]:
    """GB a day and symbol of each venue."""
    return tuple(_symbol_day(name, venue, linger_ms(stack)) for name, venue in stack.venues.items())


def holdings(stack: Stack) -> tuple[Holding, ...]:
    """How long each stop holds data, edge first."""
    rates = stack_rates(stack)
    edges = ((name, edge_sizes(stack, stack.hosts[name])) for name in stack.hosts_with(Role.EDGE))
    held = [holding for name, sizes in edges for holding in _edge_holdings(stack, name, sizes)]
    for name in stack.hosts_with(Role.BRAIN):
        room = usable_disk(stack, stack.hosts[name])
        days = room / rates.parquet / DAY_S if rates.parquet else 0.0
        size = brain_sizes(stack, stack.hosts[name]).parquet_bytes
        held.append(
            Holding(
                host=name, stop="parquet", bytes=size, hours=stack.retention.parquet_days * 24, days_until_full=days
            )
        )
    return tuple(held)


def refusals(stack: Stack) -> tuple[CapacityError, ...]:
    """All that does not fit; a host whose sizes its plan will tell is not judged."""
    found = [*_link_refusals(stack), *_window_refusals(stack)]
    for name in stack.hosts_with(Role.EDGE):
        found += _edge_refusals(stack, name)
    for name in stack.hosts_with(Role.BRAIN):
        found += _brain_refusals(stack, name)
    return tuple(found)


def check_capacity(stack: Stack) -> None:
    """Raise the first of `refusals`."""
    for refusal in refusals(stack):
        raise refusal


def memory_refusals(stack: Stack, floors_mb: dict[str, int]) -> tuple[CapacityError, ...]:
    """What the components' memory floors (MiB, by host) ask beyond a host's memory."""
    return tuple(
        _memory_error(name, floor + SYSTEM_MEMORY_MB, host.memory_mb)
        for name, floor in floors_mb.items()
        if (host := stack.hosts[name]).memory_mb is not None and floor + SYSTEM_MEMORY_MB > host.memory_mb
    )


def _memory_error(name: str, wanted: int, have: int | None) -> CapacityError:
    return CapacityError(
        f"its services need {wanted} MiB of memory",
        f"hosts.{name}.memory_mb",
        f"at least {wanted}, not {have}",
        "take a larger host",
    )


def _link_refusals(stack: Stack) -> list[CapacityError]:
    link, carries = stack_rates(stack).link, stack.network.link_bytes_per_s
    factor = catch_up_factor(stack)
    if link < carries and factor > 1:
        return []
    if link < carries:
        return [
            CapacityError(
                f"a brain that was away never catches up: the link's rest carries {factor:.2f} s of data a second",
                "network.link_bytes_per_s",
                f"about {carries / factor / 1e6:.2f} MB/s or more",
                "collect fewer symbols, or state what the link really carries",
            )
        ]
    return [
        CapacityError(
            f"compressed, the data takes {link / 1e6:.2f} MB/s of the link home",
            "network.link_bytes_per_s",
            f"less than {carries / 1e6:.2f} MB/s",
            "collect fewer symbols, or state what the link really carries",
        )
    ]


def _window_refusals(stack: Stack) -> list[CapacityError]:
    hold = stack.retention
    if hold.stream_minutes * 60 >= 2 * hold.segment_seconds:
        return []
    return [
        CapacityError(
            f"the stream holds {hold.stream_minutes * 60:g} s, a segment is sealed after {hold.segment_seconds} s",
            "retention.stream_minutes",
            f"at least twice a segment's age: {_up(2 * hold.segment_seconds / 60)} minutes",
            "raise stream_minutes or lower segment_seconds",
        )
    ]


def _up(minutes: float) -> str:
    """In hundredths, rounded up, so that what is asked for suffices."""
    return f"{ceil(100 * minutes) / 100:g}"


def _edge_refusals(stack: Stack, name: str) -> list[CapacityError]:
    host, found = stack.hosts[name], []
    sizes = edge_sizes(stack, host)
    most = int(sizes.maxmemory_bytes * STREAM_SHARE)
    if host.memory_mb is not None and sizes.stream_bytes > most:
        fit = stack.retention.stream_minutes * most / sizes.stream_bytes
        found.append(
            CapacityError(
                f"{stack.retention.stream_minutes:g} minutes of streams take {_mib(sizes.stream_bytes)}",
                f"hosts.{name}.memory_mb",
                f"at most {_mib(most)}: {STREAM_SHARE:g} of Redis's half of the memory",
                f"hold {int(fit)} minutes, or take a host with {_mib(ceil(2 * sizes.stream_bytes / STREAM_SHARE))}",
            )
        )
    wanted, room = sizes.journal_bytes + sizes.aof_bytes, usable_disk(stack, host)
    if host.disk_gb is not None and wanted > room:
        fit = max(0.0, (room - sizes.aof_bytes) / sizes.journal_bytes * stack.retention.journal_hours)
        found.append(
            CapacityError(
                f"journal and Redis's log take {_gb(wanted)}",
                f"hosts.{name}.disk_gb",
                f"at most {_gb(room)}: the disk less the system and the {stack.alerts.disk_free:.0%} kept free",
                f"hold {fit:.1f} journal_hours, or take a larger disk",
            )
        )
    return found


def _brain_refusals(stack: Stack, name: str) -> list[CapacityError]:
    host = stack.hosts[name]
    wanted, room = brain_sizes(stack, host).parquet_bytes, usable_disk(stack, host)
    if host.disk_gb is None or wanted <= room:
        return []
    return [
        CapacityError(
            f"{stack.retention.parquet_days:g} days of Parquet take {_gb(wanted)}",
            f"hosts.{name}.disk_gb",
            f"at most {_gb(room)}: the disk less the system and the {stack.alerts.disk_free:.0%} kept free",
            f"hold {int(stack.retention.parquet_days * room / wanted)} parquet_days, or take a larger disk",
        )
    ]


def _gb(size: float) -> str:
    return f"{size / GB:.1f} GB"


def _mib(size: float) -> str:
    return f"{size / MIB:.0f} MiB"


def _symbol_day(name: str, venue: Venue, linger: float) -> SymbolDay:
    rates, symbols = venue_rates(venue, linger), len(venue.symbols)
    a_day = {
        stop: getattr(rates, stop) * DAY_S / symbols / GB for stop in ("raw", "journal", "stream", "link", "parquet")
    }
    return SymbolDay(venue=name, symbols=symbols, **a_day)


def _edge_holdings(stack: Stack, name: str, sizes: EdgeSizes) -> tuple[Holding, Holding]:
    hold = stack.retention
    return (
        Holding(host=name, stop="journal", bytes=sizes.journal_bytes, hours=hold.journal_hours),
        Holding(host=name, stop="stream", bytes=sizes.stream_bytes, hours=hold.stream_minutes / 60),
    )
