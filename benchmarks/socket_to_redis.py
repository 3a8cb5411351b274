"""From a TLS socket to Redis: frames that a venue sends as fast as they are taken, through the collector as shipped
(journal, continuity, chunks), beside a packed writer alone and cryptofeed with its Redis streams.

All write into a Redis of the shipped configuration (AOF, synced each second). Venue, Redis, peers and collector are
processes of their own; the seconds run from the first byte sent until Redis shows the last frame. `RECORDING=path`
takes frames of a recording in place of the seeded market's; `BENCH_FRAMES` their number.

The writer has its frames in memory: no socket, no TLS, no journal, no routing. It makes an entry of each, with the
fields of a record. The collector's entries are chunks of many."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec

from benchmarks import _cryptofeed
from benchmarks._edge import SYMBOLS, collector, process, venue
from benchmarks._frames import market_frames, recorded_frames, symbols
from benchmarks._held import Held, frames_of
from benchmarks._machine import MissedError, commit, load, verdict_least
from benchmarks._redis import Redis, running
from himari_runtime.messages import Kind, Record
from himari_runtime.venues.registry import router

FRAMES = int(os.environ.get("BENCH_FRAMES", "150000"))
RECORDED_PER_S = 119.0  # frames a symbol and second
WRITER_LEAST, PEER_LEAST = 0.4, 3.0
RUNS = int(os.environ.get("BENCH_RUNS", "3"))

Measure = Callable[[Path, Redis, list[bytes]], float]  # seconds


def main() -> None:
    """Print the three and both ratios; raises MissedError."""
    recording = os.environ.get("RECORDING", "")
    frames = made_frames(recording, SYMBOLS, FRAMES)
    mean = sum(map(len, frames)) / len(frames)
    print(
        f"{len(frames)} frames of {recording or 'the seeded market'}, {SYMBOLS} symbols, {mean:.0f} bytes; {commit()}"
    )
    rates: dict[str, float] = {}
    for run in range(RUNS):  # one after the other, so that what the machine does besides hits all; the best counts
        for name, measure in (("collector", _ours), ("packed writer", _writer), ("cryptofeed", _peer)):
            rate = len(frames) / _alone(measure, frames)
            print(f"  run {run + 1}: {name} {rate:,.0f} frames/s; {load()}", flush=True)
            rates[name] = max(rate, rates.get(name, 0.0))
    ours = rates["collector"]
    writer, peer = ours / rates["packed writer"], ours / rates["cryptofeed"]
    print(f"collector {ours:,.0f} frames/s, {mean * ours / 1e6:.1f} MB/s")
    print(f"  {writer:.2f} of the packed writer alone, at least {WRITER_LEAST}: {verdict_least(writer, WRITER_LEAST)}")
    print(f"  {peer:.1f} times cryptofeed 2.4.1, at least {PEER_LEAST}: {verdict_least(peer, PEER_LEAST)}")
    if writer < WRITER_LEAST or peer < PEER_LEAST:
        raise MissedError


def made_frames(recording: str, count: int, most: int) -> list[bytes]:
    """About `most` frames of `count` symbols."""
    if recording:
        seconds = most / count / RECORDED_PER_S * 1.3
        return recorded_frames(Path(recording), count, 1.0, seconds)[:most]
    return market_frames(count, most / 4, 5.0)[:most]


def _alone(measure: Measure, frames: list[bytes]) -> float:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="himari-bench-")))
        return measure(folder, stack.enter_context(running(folder / "redis")), frames)


def _ours(folder: Path, server: Redis, frames: list[bytes]) -> float:
    put(folder, frames)
    held = Held(server.client(), symbols(SYMBOLS))
    last = router("binance")(Record(1, 1, Kind.FRAME, 0, 1, 1, frames[-1])).stream
    with venue(folder, 1, 0) as sending, collector(folder, sending.port, server, 1, 0):
        began_ns = sending.next().began_ns
        seconds = (held.await_last(last, frames[-1]) - began_ns) / 1e9
    stored = frames_of(held.records())
    if sorted(payload for payload in stored if payload.startswith(b'{"stream"')) != sorted(frames):
        raise RuntimeError(f"{len(frames)} frames sent, {len(stored)} stored: not the same")
    return seconds


def _writer(folder: Path, server: Redis, frames: list[bytes]) -> float:
    put(folder, frames)
    argv = (sys.executable, "-m", "benchmarks._packed_writer", str(folder / "frames"), str(server.port))
    with process(argv, stdout=subprocess.PIPE) as running_writer:
        said, _ = running_writer.communicate()
    return float(said)


def _peer(folder: Path, server: Redis, frames: list[bytes]) -> float:
    put(folder, [_cryptofeed.as_aggregated(frame) for frame in frames])
    return _cryptofeed.seconds(folder, server, SYMBOLS, len(frames))


def put(folder: Path, frames: list[bytes]) -> None:
    """Where a venue looks for them."""
    (folder / "frames").write_bytes(msgspec.msgpack.encode(frames))


if __name__ == "__main__":
    main()
