"""The settings of a collector that is measured: as an edge has them, with room for all that a benchmark sends."""

from pathlib import Path

from benchmarks._frames import symbols

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
snapshot_levels = 1000
book_poll_seconds = 300
weight_per_minute = 6000
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
window_records = 100_000_000
"""


def collector_settings(
    folder: Path | str, count: int, *, venue: str, ca_file: str, metrics: int, redis: int, lines: int, linger: float
) -> str:
    """TOML for `count` symbols and a journal in `folder`; `venue` is a host with its port, `metrics` and `redis` are
    ports of this machine, `linger` is in milliseconds."""
    return COLLECTOR.format(
        folder=folder,
        symbols=listed(count),
        venue=venue,
        ca_file=ca_file,
        metrics=metrics,
        redis=redis,
        lines=lines,
        linger=linger,
    )


def listed(count: int) -> str:
    """The names of `count` symbols, as TOML."""
    return str(list(symbols(count))).replace("'", '"')
