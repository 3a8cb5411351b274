"""A thousand simulated symbols: how long until each has its snapshot, whether memory stays flat, what a frame costs.

The collector as shipped (two lines, three shards, journal on) takes the real simulator's frames into a Redis of the
shipped configuration; each of the three is a process of its own. A symbol has its snapshot when its book has begun from
it. Beside it stands what the limit on request weight alone would take; as weight is granted by the venue's minute, the
first minute's grant may make it up to a minute less.

The collector's memory (RSS) is then watched for five minutes (`BENCH_SECONDS` shortens it). It is flat where the last
fifth's median is at most 1.1 of the second fifth's. CPU is per 1,000 frames, counted on each line; the simulator's for
the same frames stands beside it. `BENCH_SYMBOLS` takes fewer symbols."""

import os
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import msgspec

from benchmarks._edge import collector, cpu_seconds
from benchmarks._exchange import exchange
from benchmarks._held import await_condition
from benchmarks._machine import MissedError, commit, load, verdict
from benchmarks._memory import GROWTH_MOST, growth, resident
from benchmarks._metrics import metrics, summed
from benchmarks._redis import free_port, running
from benchmarks._settings import SNAPSHOT_LEVELS, WEIGHT_PER_MINUTE
from himari.stack.load import load_stack
from himari.stack.sizes import linger_ms
from himari_runtime.venues.registry import dialect

SYMBOLS = int(os.environ.get("BENCH_SYMBOLS", "1000"))
FRAMES_PER_S = 2000.0  # of all symbols, on each line: what the simulator makes beside the others on two cores
SECONDS = float(os.environ.get("BENCH_SECONDS", "300"))
LINES = 2
WINDOW = 500_000  # records that Redis keeps: it holds half of a small edge's memory
SAMPLE_SECONDS = 1.0
PATIENCE = 3.0  # times what the limit alone would take
SPARE_SECONDS = 120.0


class Course(msgspec.Struct, frozen=True):
    """The time after the last snapshot: memory by the second, in bytes, and the CPU seconds of both processes."""

    memory: list[int]
    frames: float
    seconds: float
    cpu: float
    exchange_cpu: float


def main() -> None:
    """Print all; raises MissedError where memory grows."""
    print(f"{SYMBOLS} symbols, {LINES} lines, {FRAMES_PER_S:.0f} frames/s asked of the simulator; {commit()}; {load()}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="himari-bench-")))
        server = stack.enter_context(running(folder / "redis"))
        source = stack.enter_context(exchange(folder, SYMBOLS, FRAMES_PER_S))
        port, began = free_port(), time.monotonic()
        linger = linger_ms(load_stack("lab-edge"))
        edge = collector(folder, source.port, server, LINES, linger, count=SYMBOLS, metrics=port, window=WINDOW)
        pid = stack.enter_context(edge)
        _show_snapshots(_all_begun(port, folder) - began)
        course = _watched(pid, source.pid, port)
    _show(course)
    if growth(course.memory) > GROWTH_MOST:
        raise MissedError(f"memory grew {growth(course.memory):.2f} times")


def begun(shown: Mapping[str, float]) -> float:
    """How many symbols' books have begun, at least: one that begins again does so for a disclosed gap."""
    gaps = summed(shown, "himari_feed_gaps_total", 'channel="depth"')
    return summed(shown, "himari_resyncs_total") - gaps


def limit_seconds() -> float:
    """What the venue's limit on weight alone makes of a snapshot a symbol."""
    weight = dialect("binance").calls.snapshot("BTC/USDT", SNAPSHOT_LEVELS).weight
    return SYMBOLS * weight / WEIGHT_PER_MINUTE * 60


def _all_begun(port: int, folder: Path) -> float:
    """When it was so, on the monotonic clock; raises TimeoutError with the collector's last words."""
    patience = limit_seconds() * PATIENCE + SPARE_SECONDS
    try:
        return await_condition(lambda: begun(metrics(port)) >= SYMBOLS, "all books begun", patience, 0.5) / 1e9
    except TimeoutError as error:
        said = (folder / "collector.log").read_text()[-2000:]
        raise TimeoutError(f"{error}: {begun(metrics(port)):.0f} of {SYMBOLS}; {said}") from None


def _watched(pid: int, exchange_pid: int, port: int) -> Course:
    began, before = time.monotonic(), _frames(port)
    cpu, exchange_cpu = cpu_seconds(pid), cpu_seconds(exchange_pid)
    memory = [resident(pid)]
    while (left := began + SECONDS - time.monotonic()) > 0:
        time.sleep(min(left, SAMPLE_SECONDS))
        memory.append(resident(pid))
    return Course(
        memory=memory,
        frames=_frames(port) - before,
        seconds=time.monotonic() - began,
        cpu=cpu_seconds(pid) - cpu,
        exchange_cpu=cpu_seconds(exchange_pid) - exchange_cpu,
    )


def _frames(port: int) -> float:
    """Frames of the venue, on all lines."""
    shown = metrics(port)
    return sum(
        summed(shown, "himari_frames_total", f'channel="{channel}"') for channel in ("trade", "depth", "book_ticker")
    )


def _show_snapshots(seconds: float) -> None:
    least = limit_seconds()
    print(
        f"every symbol has its snapshot after {seconds:.0f} s; the weight limit alone takes {least:.0f} s "
        f"({SYMBOLS} snapshots of {SNAPSHOT_LEVELS} levels, {WEIGHT_PER_MINUTE} weight a minute): "
        f"{seconds / least:.2f} of it; {load()}",
        flush=True,
    )


def _show(course: Course) -> None:
    grown = growth(course.memory)
    per_minute = course.memory[:: max(1, int(60 / SAMPLE_SECONDS))]
    print(f"memory of the collector, minute by minute: {', '.join(f'{size / 1e6:.0f}' for size in per_minute)} MB")
    print(f"  highest {max(course.memory) / 1e6:.0f} MB, at the end {course.memory[-1] / 1e6:.0f} MB")
    print(
        f"  the last fifth's median is {grown:.3f} of the second fifth's, "
        f"flat is at most {GROWTH_MOST}: {verdict(grown, GROWTH_MOST)}"
    )
    rate, thousands = course.frames / course.seconds, course.frames / 1000
    print(f"{rate:.0f} frames/s came over {LINES} lines in {course.seconds:.0f} s; {load()}")
    print(f"  CPU of the collector {course.cpu / thousands:.3f} s per 1,000 frames", end="")
    print(f", of the simulator that sent them {course.exchange_cpu / thousands:.3f} s")


if __name__ == "__main__":
    main()
