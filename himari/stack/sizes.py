"""What the declared rates ask of disks, memory and the link. Pure arithmetic; bytes and seconds
unless a name says otherwise. The constants were measured on the recording of Binance's BTC/USDT streams (41,249 frames
of 248 bytes on average) and on Redis 7.0.15."""

from collections.abc import Mapping
from math import ceil

import msgspec

from himari.stack.model import Host, Role, Stack, Venue

DAY_S = 86_400
GB = 10**9
MIB = 1 << 20

# A record in a journal segment: "<II" frame and "<BBQqq" head.
JOURNAL_RECORD_BYTES = 8 + 26
# What a packed chunk takes: a part of its frames, and its heads and first frame, which nothing before them predicts.
# `benchmarks/link_bytes.py` and `benchmarks/journal.py` measure them, on the seeded market and on the recording.
STREAM_RATIO = 0.17
CHUNK_BYTES = 100
# A stream entry in Redis beside its chunk: 24 to 204 bytes, most where a listpack node holds few (MEMORY USAGE).
STREAM_ENTRY_BYTES = 204
# An entry in Redis' answer beside its chunk, and a reader's requests and acknowledgements.
LINK_ENTRY_BYTES = 60
# TLS-less TCP over WireGuard, of the bytes in full packets: 60 of 1420 for the tunnel, 52 for TCP/IP.
LINK_OVERHEAD = 1.08
# Parquet with zstd, per raw byte: 0.18 to 0.21 for files of 3 s to 6 min.
PARQUET_RATIO = 0.22
# A collector flushes a chunk a stream after `linger_ms`, also one that only says that a line repeated another.
# Heartbeats and REST records are records too.
HOUSEKEEPING_RECORDS_PER_S = 2
# Bounds of `linger_ms`.
LINGER_MIN_MS, LINGER_MAX_MS = 5, 40
# An AOF is rewritten at twice its base, and the new base is written beside it.
AOF_FACTOR = 3
AOF_FLOOR = 64 * MIB
# Of maxmemory; the rest is for the readers' buffers and what trimming leaves over (whole listpack nodes).
STREAM_SHARE = 0.8
# Of the link, for a brain that catches up: what is left where live data comes at twice its rate, and never nothing.
LIVE_BURST = 2
CATCH_UP_SHARE_LEAST = 0.1
# A segment, compressed as a whole, per byte: 0.16 to 0.19 with one line in it, 0.12 to 0.15 with two.
SEGMENT_RATIO = 0.2
# A burst of this many times the declared rate seals a segment by size before its age does.
SEGMENT_BURST = 4
SEGMENT_MIN = 8 * MIB
# What of a host's memory is each role's, beside the others that it has; the system's part comes first.
MEMORY_PARTS = {Role.BROKER: 2, Role.FEATURES: 1, Role.ANALYTICS: 2, Role.GRAPH: 2}
# Serving data is small: a key a symbol and a thousand rows of history. More would only hide what never expires.
FEATURES_MOST = 2048 * MIB
# Connections to the analytics store: sinks, readers, the operator; each may take `work_mem` for each of its sorts.
ANALYTICS_CONNECTIONS = 40
# Of the graph's heap, and of its page cache: with less it is busy collecting, with more nothing is gained.
GRAPH_LEAST, GRAPH_MOST = 256 * MIB, 1024 * MIB
# What its JVM takes beside those two: classes, compiled code, stacks of threads, buffers of connections.
GRAPH_BESIDE = 320 * MIB
# A broker's heap is a part of its part, the rest is for the JVM and for pages of what was written last.
BROKER_HEAP_SHARE = 0.4
BROKER_HEAP_LEAST, BROKER_HEAP_MOST = 256 * MIB, 4096 * MIB
# A JVM beside its heap: code, threads, buffers.
BROKER_BESIDE_HEAP = 256 * MIB
# What a compressed batch in a topic takes of its records; batches are small where latency counts.
TOPIC_RATIO = 0.25
# A topic may take this many times what its declared rate asks: bursts, and symbols that fill one partition.
TOPIC_BURST = 2
# A partition gives up whole segments, so one more than is kept is on the disk.
SEGMENTS_KEPT = 8
SEGMENT_LEAST, SEGMENT_MOST = 8 * MIB, 1024 * MIB
# Above it, compressing for size costs more of a CPU than it saves of a disk.
ZSTD_MOST_BYTES_PER_S = 20_000_000
SYSTEM_DISK = 4 * GB
SYSTEM_MEMORY_MB = 256


class AnalyticsSizes(msgspec.Struct, frozen=True, kw_only=True):
    """The sizes that the analytics store is given, in bytes; `memory` is all that it may take."""

    memory: int
    buffers: int
    cache: int  # its buffers and what the kernel keeps of its files
    work: int
    maintenance: int
    wal_least: int
    wal_most: int


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


def venue_rates(venue: Venue, linger: float) -> Rates:
    """What one venue's declared rates become at each stop, where the pusher gathers for `linger` ms."""
    records = venue.frames_per_s * venue.lines + HOUSEKEEPING_RECORDS_PER_S
    streams = 2 * len(venue.symbols) + 1
    chunks = min(records, streams * 1000 / linger)
    packed = STREAM_RATIO * venue.bytes_per_s + CHUNK_BYTES * chunks
    return Rates(
        records=records,
        raw=venue.bytes_per_s,
        journal=venue.bytes_per_s * venue.lines + JOURNAL_RECORD_BYTES * records,
        stream=packed + STREAM_ENTRY_BYTES * chunks,
        link=(packed + LINK_ENTRY_BYTES * chunks) * LINK_OVERHEAD,
        parquet=PARQUET_RATIO * venue.bytes_per_s,
    )


def stack_rates(stack: Stack) -> Rates:
    """The rates of all venues together."""
    each = [venue_rates(venue, linger_ms(stack)) for venue in stack.venues.values()]
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


class GraphSizes(msgspec.Struct, frozen=True, kw_only=True):
    """The sizes that a graph's server is given."""

    heap_bytes: int
    page_cache_bytes: int
    memory_max_bytes: int


def role_bytes(host: Host, role: Role) -> int:
    """The part of `host`'s memory that is for `role`'s services: what its other roles and the system leave."""
    parts = sum(MEMORY_PARTS[held] for held in host.roles)
    return max(0, (host.memory_mb or 0) - SYSTEM_MEMORY_MB) * MIB * MEMORY_PARTS[role] // parts


def features_bytes(host: Host) -> int:
    """What the features' Redis may hold: half of the role's memory, as a fork copies what changes while it writes."""
    return min(FEATURES_MOST, role_bytes(host, Role.FEATURES) // 2)


def analytics_sizes(host: Host) -> AnalyticsSizes:
    """The sizes of the analytics store on `host`: a quarter of its memory for its buffers, as its makers advise; a log
    that a twentieth of the disk bounds, as recovery reads it from its last checkpoint on."""
    memory = role_bytes(host, Role.ANALYTICS)
    wal_most = max(256 * MIB, min(4096 * MIB, (host.disk_gb or 0) * GB // 20))
    return AnalyticsSizes(
        memory=memory,
        buffers=memory // 4,
        cache=memory * 5 // 8,
        work=max(4 * MIB, memory // (4 * ANALYTICS_CONNECTIONS)),
        maintenance=max(16 * MIB, memory // 16),
        wal_least=wal_most // 4,
        wal_most=wal_most,
    )


def graph_sizes(host: Host) -> GraphSizes:
    """The graph's heap and page cache: halves, in whole MiB, of what the role's memory has beside its JVM's own needs.

    The unit's limit leaves those needs room to double."""
    half = (role_bytes(host, Role.GRAPH) - GRAPH_BESIDE) // 2 // MIB * MIB
    half = min(GRAPH_MOST, max(GRAPH_LEAST, half))
    return GraphSizes(heap_bytes=half, page_cache_bytes=half, memory_max_bytes=2 * (half + GRAPH_BESIDE))


class TopicSizes(msgspec.Struct, frozen=True, kw_only=True):
    """What a partition of a topic may hold, and how it is cut and compressed."""

    retention_bytes: int
    segment_bytes: int
    compression: str


def broker_heap_bytes(host: Host) -> int:
    """The heap of a broker's JVM."""
    wanted = int(role_bytes(host, Role.BROKER) * BROKER_HEAP_SHARE)
    return min(BROKER_HEAP_MOST, max(BROKER_HEAP_LEAST, wanted))


def broker_memory_bytes(host: Host) -> int:
    """What a broker may take of its host, with the pages of what was written last."""
    return max(role_bytes(host, Role.BROKER), broker_heap_bytes(host) + BROKER_BESIDE_HEAP)


def broker_disk_bytes(stack: Stack, host: Host) -> int:
    """What topics may take of the disk of `host`, which its roles share alike."""
    return usable_disk(stack, host) // len(host.roles)


def topic_sizes(stack: Stack, host: Host, wanted: Mapping[str, tuple[int, float, float]]) -> dict[str, TopicSizes]:
    """By topic, from its partitions, the hours that it is held and its rate as a share of what venues send.

    Where the disk is too small for all, each holds the same part of what it should: its oldest goes earlier."""
    raw = stack_rates(stack).raw
    asked = {name: TOPIC_BURST * TOPIC_RATIO * raw * share * hours * 3600 for name, (_, hours, share) in wanted.items()}
    room = broker_disk_bytes(stack, host) * SEGMENTS_KEPT / (SEGMENTS_KEPT + 1)
    fits = min(1.0, room / sum(asked.values())) if asked and raw else 1.0
    codec = "zstd" if raw <= ZSTD_MOST_BYTES_PER_S else "lz4"
    return {name: _topic(asked[name] * fits / partitions, codec) for name, (partitions, _, _) in wanted.items()}


def _topic(held: float, codec: str) -> TopicSizes:
    segment = min(SEGMENT_MOST, max(SEGMENT_LEAST, int(held / SEGMENTS_KEPT)))
    return TopicSizes(retention_bytes=max(int(held), segment), segment_bytes=segment, compression=codec)


def catch_up_bytes_per_s(stack: Stack) -> int:
    """How fast an edge sends sealed segments: the rest of the link is for others who read the live streams meanwhile.
    Before TCP/IP and the tunnel."""
    link = stack.network.link_bytes_per_s
    spare = max(link - LIVE_BURST * stack_rates(stack).link, CATCH_UP_SHARE_LEAST * link)
    return ceil(spare / LINK_OVERHEAD)


def catch_up_factor(stack: Stack) -> float:
    """Seconds of data that a brain catches up with in a second."""
    return catch_up_bytes_per_s(stack) / (SEGMENT_RATIO * stack_rates(stack).journal)


def linger_ms(stack: Stack) -> float:
    """How long the pusher gathers records of a stream into one chunk, in ms: a quarter of the link's round trip, of
    which a reader across that link notices little, as it asks once a round trip; more than 40 ms saves few bytes."""
    return round(min(LINGER_MAX_MS, max(LINGER_MIN_MS, stack.network.round_trip_ms / 4)))


def min_free_bytes(host: Host) -> int:
    """What a service leaves free on the disk of `host`: 2 % of it, so that the system can still log and be mended."""
    return (host.disk_gb or 0) * GB // 50


def usable_disk(stack: Stack, host: Host) -> int:
    """What data may take on the disk of `host` without the dead-man's disk alarm."""
    return max(0, int((host.disk_gb or 0) * GB * (1 - stack.alerts.disk_free)) - SYSTEM_DISK)
