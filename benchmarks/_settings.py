"""The settings of services that are measured: as hosts have them, with room for all that a benchmark sends."""

from pathlib import Path

from benchmarks._frames import symbols

WINDOW = 100_000_000  # records: more than any benchmark sends
WEIGHT_PER_MINUTE = 6000  # the venue's limit on REST calls
SNAPSHOT_LEVELS = 1000
COLLECTOR = """\
[source]
name = "edge"
[metrics]
address = "127.0.0.1"
port = {metrics}
[venue]
name = "binance"
symbols = {symbols}
websocket_url = "wss://{venue}"
rest_url = "https://{venue}"
ca_file = "{ca_file}"
snapshot_levels = {levels}
book_poll_seconds = 300
weight_per_minute = {weight}
lines = {lines}
line_life_seconds = 82800
[journal]
path = "{folder}/journal"
max_bytes = 4_000_000_000
segment_bytes = 250_000_000
min_free_bytes = 0
segment_seconds = 60
fsync_ms = 200
[buffer]
host = "127.0.0.1"
port = {redis}
user = "pusher"
credential = "redis-pusher"
linger_ms = {linger}
window_records = {window}
"""
CONSUMER = """\
[source]
name = "edge"
[metrics]
address = "127.0.0.1"
port = {metrics}
[venue]
name = "binance"
symbols = {symbols}
[buffer]
host = "{edge}"
port = {redis}
user = "reader"
credential = "redis-reader"
[segments]
host = "127.0.0.1"
port = 1
[parquet]
path = "{folder}/parquet"
min_free_bytes = 0
flush_seconds = 3
flush_bytes = 67108864
[deadman]
silence_seconds = 60
disk_free = 0.2
gap_seconds = 60
webhook_credential = ""
state_file = "{folder}/deadman.json"
edge_metrics_url = "http://127.0.0.1:1/metrics"
"""


def collector_settings(
    folder: Path | str,
    count: int,
    *,
    venue: str,
    ca_file: str,
    metrics: int,
    redis: int,
    lines: int,
    linger: float,
    window: int = WINDOW,
) -> str:
    """TOML for `count` symbols and a journal in `folder`; `venue` is a host with its port, `metrics` and `redis` are
    ports of this machine, `linger` is in milliseconds; the buffer keeps `window` records."""
    return COLLECTOR.format(
        folder=folder,
        levels=SNAPSHOT_LEVELS,
        weight=WEIGHT_PER_MINUTE,
        symbols=listed(count),
        venue=venue,
        ca_file=ca_file,
        metrics=metrics,
        redis=redis,
        lines=lines,
        linger=linger,
        window=window,
    )


def consumer_settings(folder: str, count: int, *, edge: str, metrics: int, redis: int) -> str:
    """TOML for `count` symbols from the Redis of the host `edge` into a store in `folder`; there are no segments to
    catch up from, and nobody is woken."""
    return CONSUMER.format(folder=folder, symbols=listed(count), edge=edge, metrics=metrics, redis=redis)


def listed(count: int) -> str:
    """The names of `count` symbols, as TOML."""
    return str(list(symbols(count))).replace("'", '"')
