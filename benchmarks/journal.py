"""The runtime's stages, each beside the least that the same machine can do with the same frames.

In one process and thread: append (64 frames a write, and one) beside bare os.write; route beside msgspec decoding the
same fields; pack and unpack beside zstd alone; best of three in CPU time. Then against a Redis as shipped, in the
clock's time: push, from the journal's files until the buffer has all, beside a packed writer that has the same chunks
ready; consume, from the buffer into Parquet, beside reading them alone. Rows name records a second and GB an hour."""

import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import zstandard

from benchmarks import _way
from benchmarks._frames import market_frames
from benchmarks._redis import running
from himari_runtime.messages import START, Kind, Record
from himari_runtime.transport.chunks import LEVEL, Packer
from himari_runtime.venues.binance import wire
from himari_runtime.venues.registry import primer, router

RUNS = 3
SYMBOLS = 20
CHUNK = 8  # records: what 40 ms bring of a busy symbol
SECONDS = float(os.environ.get("BENCH_SECONDS", "1"))  # of a market of 20,000 frames/s
Work = Callable[[], object]


def main() -> None:
    """Print one line a stage."""
    frames = market_frames(SYMBOLS, 20_000, SECONDS)
    print(f"{len(frames)} frames, {sum(map(len, frames)) / len(frames):.0f} bytes on average")
    with tempfile.TemporaryDirectory(prefix="himari-bench-") as folder:
        _show_stages(frames, Path(folder))
        asyncio.run(_show_way(frames, Path(folder)))


def _show_stages(frames: list[bytes], folder: Path) -> None:
    records = [Record(1, n, Kind.FRAME, 0, n * 10**6, n * 10**6, frame) for n, frame in enumerate(frames, 1)]
    route, decode = router("binance"), msgspec.json.Decoder(wire.Identified).decode
    runs = [records[at : at + CHUNK] for at in range(0, len(records), CHUNK)]
    packer, bare = Packer(primer("binance")), zstandard.ZstdCompressor(level=LEVEL)
    chunks = [packer.pack(run, START) for run in runs]
    joined = [b"".join(record.payload for record in run) for run in runs]
    packed, unzip = [bare.compress(text) for text in joined], zstandard.ZstdDecompressor().decompress
    stages: tuple[tuple[str, Work, str, Work], ...] = (
        ("append", lambda: _append(folder, frames, _way.TOGETHER), "os.write", lambda: _write(folder, frames)),
        ("append 1", lambda: _append(folder, frames, 1), "os.write", lambda: _write(folder, frames)),
        ("route", lambda: list(map(route, records)), "msgspec", lambda: list(map(decode, frames))),
        ("pack", lambda: [packer.pack(run, START) for run in runs], "zstd", lambda: list(map(bare.compress, joined))),
        ("unpack", lambda: list(map(packer.unpack, chunks)), "zstd", lambda: list(map(unzip, packed))),
    )
    for name, ours, reference, theirs in stages:
        best = [min(_timed(work) for _ in range(RUNS)) for work in (ours, theirs)]
        _show(name, reference, frames, *best)


async def _show_way(frames: list[bytes], folder: Path) -> None:
    with running(folder / "redis") as server, _way.journal_in(folder) as journal:
        _way.fill(journal, frames)
        _show("push", "ready", frames, await _way.push(journal, server), await _way.repeat(server, SYMBOLS))
        read = await _way.consume(server, SYMBOLS, folder, journal.n, store=False)
        _show("consume", "read", frames, await _way.consume(server, SYMBOLS, folder, journal.n, store=True), read)


def _show(name: str, reference: str, frames: list[bytes], mine: float, least: float) -> None:
    count, size = len(frames), sum(map(len, frames))
    print(
        f"{name:<8} {count / mine:9,.0f} records/s, {size / mine * 3600 / 1e9:4,.0f} GB/h, "
        f"{mine / count * 1e6:.1f} us; {reference:<8} {count / least:10,.0f}/s; "
        f"{mine / least:5.1f} times the reference's time"
    )


def _timed(work: Work) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _append(folder: Path, frames: list[bytes], together: int) -> None:
    with _way.journal_in(folder) as journal:
        _way.fill(journal, frames, together)


def _write(folder: Path, frames: list[bytes]) -> None:
    _way.write_bare(folder / "bare", frames)


if __name__ == "__main__":
    main()
