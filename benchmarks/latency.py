"""10,000 frames a second, paced, over TLS: how long until each can be read in Redis, and what the collector uses.

From the moment a venue of the benchmark's own gives a frame to its socket to the moment at which a reader, which blocks
in XREAD as a consumer does, has its entry. Venue, collector, Redis (as shipped) and reader are processes of their own,
with one clock. The collector's CPU stands beside that of a bare loop of `websockets` which receives the same frames in
the same run and does nothing with them. The limits are for one line and a pusher that does not linger, as for a reader
beside the edge; two lines, what a link home makes of it, and the least way that a machine allows are printed beside.
The first second is left out: books begin in it, from a snapshot of each symbol."""

import math
import os
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import msgspec

from benchmarks._edge import SYMBOLS, collector, cpu_seconds, process, venue
from benchmarks._frames import symbols
from benchmarks._machine import MissedError, commit, load, verdict
from benchmarks._redis import Redis, running
from benchmarks._witness import Seen
from benchmarks.socket_to_redis import made_frames, put
from himari.stack.load import load_stack
from himari.stack.sizes import linger_ms
from himari_runtime.messages import streams
from himari_runtime.transport.chunks import Chunk, Packer
from himari_runtime.venues.registry import primer

RATE = 10_000
SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))
P50_MS, P99_MS, CPU_TIMES = 0.5, 2.0, 3.0
SETTLE_SECONDS = 2.0
WARM_NS = 10**9


# What carries frames in a room from a venue's port into a Redis; gives its process id.
Way = Callable[[Path, int, Redis], AbstractContextManager[int]]


class Run(msgspec.Struct):
    """Milliseconds of each frame, sorted, and CPU microseconds a frame of what carried them."""

    delays: list[float]
    cpu_us: float

    def percentile(self, part: float) -> float:
        """The least delay that `part` of the frames do not exceed."""
        return self.delays[min(len(self.delays) - 1, math.ceil(part * len(self.delays)) - 1)]


def main() -> None:
    """Print all; raises MissedError where one line is beyond a limit."""
    frames = made_frames(os.environ.get("RECORDING", ""), SYMBOLS, int(RATE * SECONDS))
    with tempfile.TemporaryDirectory(prefix="himari-bench-") as folder:
        put(Path(folder), frames)
        bare = _bare(Path(folder), len(frames))
        print(f"{len(frames)} frames at {RATE}/s, {SYMBOLS} symbols; {commit()}; {load()}")
        print(f"bare loop of websockets: {bare:.1f} us of CPU a frame")
        _show("the least way: packed as they come, nothing else", _run(Path(folder), frames, _least_way), bare)
        one = _run(Path(folder), frames, _collector(1, 0))
        _show("one line, no linger", one, bare, limits=True)
        _show("two lines, no linger", _run(Path(folder), frames, _collector(2, 0), lines=2), bare)
        for stack in ("lab-edge", "vps-brain"):
            linger = linger_ms(load_stack(stack))
            run = _run(Path(folder), frames, _collector(1, linger))
            _show(f"one line, {linger:.0f} ms of linger as in {stack}", run, bare)
    if one.percentile(0.5) > P50_MS or one.percentile(0.99) > P99_MS or one.cpu_us > CPU_TIMES * bare:
        raise MissedError


def _show(name: str, run: Run, bare: float, *, limits: bool = False) -> None:
    figures = (
        ("p50", run.percentile(0.5), P50_MS, " ms"),
        ("p99", run.percentile(0.99), P99_MS, " ms"),
        ("CPU", run.cpu_us / bare, CPU_TIMES, " times the bare loop's"),
    )
    print(f"{name}: {run.cpu_us:.1f} us of CPU a frame; {load()}")
    for what, figure, limit, unit in figures:
        said = f", limit {limit:g}: {verdict(figure, limit)}" if limits else ""
        print(f"  {what} {figure:.2f}{unit}{said}")


def _bare(folder: Path, count: int) -> float:
    """Its CPU microseconds a frame."""
    with venue(folder, 1, RATE) as sending:
        argv = ("-m", "benchmarks._bare_loop", str(sending.port), str(folder / "venue.pem"), str(count))
        with process((sys.executable, *argv), stdout=subprocess.PIPE) as loop:
            said, _ = loop.communicate()
    return float(said) / count * 1e6


def _collector(lines: int, linger: float) -> Way:
    return lambda room, venue_port, server: collector(room, venue_port, server, lines, linger)


@contextmanager
def _least_way(room: Path, venue_port: int, server: Redis) -> Iterator[int]:
    argv = ("-m", "benchmarks._least_way", str(venue_port), str(room / "venue.pem"), str(server.port))
    with process((sys.executable, *argv)) as way:
        yield way.pid


def _run(folder: Path, frames: list[bytes], way: Way, *, lines: int = 1) -> Run:
    with tempfile.TemporaryDirectory(dir=folder, prefix="run-") as inner, running(Path(inner) / "redis") as server:
        room = Path(inner)
        for name in ("frames", "venue.pem"):
            (room / name).symlink_to(folder / name)
        with venue(room, lines, RATE) as sending, _reader(room, server) as reader:
            with way(room, sending.port, server) as pid:
                sending.next()
                before = cpu_seconds(pid)
                sending.next()
                cpu = cpu_seconds(pid) - before
                _until_still(server)
            reader.communicate(b"end")
        sent = array("q")
        sent.frombytes((room / "sent").read_bytes())
        return Run(_delays(frames, sent, room / "seen"), cpu / len(frames) * 1e6)


def _until_still(server: Redis) -> None:
    """Returns when no stream of a symbol has grown for a while: what was under way has arrived."""
    names = streams("binance", symbols(SYMBOLS))[1:]
    with server.client() as client:
        before = -1
        while (now := sum(int(client.xlen(name)) for name in names)) != before:
            before = now
            time.sleep(SETTLE_SECONDS)


@contextmanager
def _reader(room: Path, server: Redis) -> Iterator[subprocess.Popen[bytes]]:
    argv = (sys.executable, "-m", "benchmarks._witness", str(server.port), str(room / "seen"), *symbols(SYMBOLS))
    with process(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running_reader:
        assert running_reader.stdout is not None
        running_reader.stdout.readline()
        yield running_reader


def _delays(frames: list[bytes], sent: "array[int]", seen: Path) -> list[float]:
    """Sorted milliseconds, after the warm-up; raises RuntimeError where a frame was never seen."""
    packer = Packer(primer("binance"))
    arrived: dict[bytes, int] = {}
    for at_ns, entry_id, fields in msgspec.msgpack.decode(seen.read_bytes(), type=list[Seen]):
        for record in packer.unpack(Chunk.of(entry_id, fields)).records:
            arrived.setdefault(record.payload, at_ns)
    missing = sum(frame not in arrived for frame in frames)
    if missing:
        raise RuntimeError(f"{missing} of {len(frames)} frames were never seen in Redis")
    timed = zip(frames, sent, strict=True)
    return sorted((arrived[frame] - at_ns) / 1e6 for frame, at_ns in timed if at_ns - sent[0] >= WARM_NS)


if __name__ == "__main__":
    main()
