"""What the declared rates ask of disks, memory and the link, and what does not fit. Pure arithmetic; bytes and seconds
unless a name says otherwise. The constants were measured on the recording of Binance's BTC/USDT streams (41,249 frames
of 248 bytes on average) and on Redis 7.0.15."""

from math import ceil

import msgspec

from himari.stack.errors import CapacityError
from himari.stack.model import Host, Role, Stack, Venue

DAY_S = 86_400
GB = 10**9
MIB = 1 << 20

# A record in a journal segment: "<II" frame and "<BBQqq" head.
JOURNAL_RECORD_BYTES = 8 + 26
# zstd with the primer dictionary, a few frames together: the bound that the link is held to, not the usual case.
STREAM_RATIO = 0.35
# A stream entry beside its data: 24 to 204 bytes, the most where a listpack node holds few entries (MEMORY USAGE).
STREAM_ENTRY_BYTES = 204
# TLS-less TCP over WireGuard, of the bytes in full packets: 60 of 1420 for the tunnel, 52 for TCP/IP.
LINK_OVERHEAD = 1.08
# Parquet with zstd, per raw byte: 0.18 to 0.21 for files of 3 s to 6 min.
PARQUET_RATIO = 0.22
# A collector flushes a chunk a stream after `linger_ms`; heartbeats and REST records are records too.
HOUSEKEEPING_RECORDS_PER_S = 2
# An AOF is rewritten at twice its base, and the new base is written beside it.
AOF_FACTOR = 3
AOF_FLOOR = 64 * MIB
# Of maxmemory; the rest is for the readers' buffers and what trimming leaves over (whole listpack nodes).
STREAM_SHARE = 0.8
# A burst of this many times the declared rate seals a segment by size before its age does.
SEGMENT_BURST = 4
SEGMENT_MIN = 8 * MIB
SYSTEM_DISK = 4 * GB
SYSTEM_MEMORY_MB = 256


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """What an edge takes in, in units a second."""

    records: float
    raw: float  # bytes, as the venue sends them
    journal: float
    stream: float
    link: float
    parquet: float


class EdgeSizes(msgspec.Struct, frozen=True, kw_only=True):
    """The sizes that the edge's services are given."""

    journal_bytes: int
    segment_bytes: int
    window_records: int
    stream_bytes: int
    aof_bytes: int
    maxmemory_bytes: int
    min_free_bytes: int


class BrainSizes(msgspec.Struct, frozen=True, kw_only=True):
    """The sizes that a brain's services are given."""

    parquet_bytes: int
    min_free_bytes: int


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


def venue_rates(venue: Venue) -> Rates:
    """What one venue's declared rates become at each stop."""
    records = venue.frames_per_s + HOUSEKEEPING_RECORDS_PER_S
    stream = STREAM_RATIO * venue.bytes_per_s + STREAM_ENTRY_BYTES * records
    return Rates(
        records=records,
        raw=venue.bytes_per_s,
        journal=venue.bytes_per_s + JOURNAL_RECORD_BYTES * records,
        stream=stream,
        link=STREAM_RATIO * venue.bytes_per_s * LINK_OVERHEAD,
        parquet=PARQUET_RATIO * venue.bytes_per_s,
    )


def stack_rates(stack: Stack) -> Rates:
    """The rates of all venues together."""
    each = [venue_rates(venue) for venue in stack.venues.values()]
    return Rates(**{name: sum(getattr(rates, name) for rates in each) for name in Rates.__struct_fields__})


def edge_sizes(stack: Stack, host: Host) -> EdgeSizes:
    """The sizes on an edge with `host`'s memory and disk; nothing is refused here."""
    rates = stack_rates(stack)
    hold = stack.retention
    window_s = hold.stream_minutes * 60
    stream_bytes = ceil(rates.stream * window_s)
    return EdgeSizes(
        journal_bytes=ceil(rates.journal * hold.journal_hours * 3600),
        segment_bytes=max(SEGMENT_MIN, ceil(rates.journal * hold.segment_seconds * SEGMENT_BURST)),
        window_records=ceil(rates.records * window_s),
        stream_bytes=stream_bytes,
        aof_bytes=AOF_FLOOR + AOF_FACTOR * stream_bytes,
        maxmemory_bytes=(host.memory_mb or 0) * MIB // 2,
        min_free_bytes=min_free_bytes(host),
    )


def brain_sizes(stack: Stack, host: Host) -> BrainSizes:
    """The sizes on a brain."""
    wanted = stack_rates(stack).parquet * stack.retention.parquet_days * DAY_S
    return BrainSizes(parquet_bytes=ceil(wanted), min_free_bytes=min_free_bytes(host))


def min_free_bytes(host: Host) -> int:
    """What a service leaves free on the disk of `host`: 2 % of it, so that the system can still log and be mended."""
    return (host.disk_gb or 0) * GB // 50


def usable_disk(stack: Stack, host: Host) -> int:
    """What data may take on the disk of `host` without the dead-man's disk alarm."""
    return max(0, int((host.disk_gb or 0) * GB * (1 - stack.alerts.disk_free)) - SYSTEM_DISK)


def symbol_days(stack: Stack) -> tuple[SymbolDay, ...]:
    """GB a day and symbol of each venue."""
    return tuple(_symbol_day(name, venue) for name, venue in stack.venues.items())


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


def _symbol_day(name: str, venue: Venue) -> SymbolDay:
    rates, symbols = venue_rates(venue), len(venue.symbols)
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


def _link_refusals(stack: Stack) -> list[CapacityError]:
    link, carries = stack_rates(stack).link, stack.network.link_bytes_per_s
    if link < carries:
        return []
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
            f"at least twice a segment's age: {2 * hold.segment_seconds / 60:g} minutes",
            "raise stream_minutes or lower segment_seconds",
        )
    ]


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
