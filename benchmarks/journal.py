"""The runtime's own speed, each beside the least that the same machine can do with the same frames.

append: Journal.append beside bare os.write; decode: route beside msgspec decoding the wrapper alone; pack and unpack:
chunks beside zstd alone. All in one process and thread, best of three."""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import zstandard

from benchmarks._frames import market_frames
from himari_runtime.messages import START, Kind, Record
from himari_runtime.settings import JournalSettings
from himari_runtime.transport.chunks import LEVEL, Packer
from himari_runtime.transport.journal import Journal
from himari_runtime.venues.binance import wire
from himari_runtime.venues.registry import primer, router

RUNS = 3
CHUNK = 8  # records: what 40 ms bring of a busy symbol


def main() -> None:
    """Print one line a stage."""
    frames = market_frames(20, 20_000, 1.0)
    records = [Record(1, n, Kind.FRAME, 0, n * 10**6, n * 10**6, frame) for n, frame in enumerate(frames, 1)]
    route, decoder = router("binance"), msgspec.json.Decoder(wire.Identified)
    runs = [records[at : at + CHUNK] for at in range(0, len(records), CHUNK)]
    packer, bare = Packer(primer("binance")), zstandard.ZstdCompressor(level=LEVEL)
    chunks = [packer.pack(run, START) for run in runs]
    joined = [b"".join(record.payload for record in run) for run in runs]
    packed = [bare.compress(text) for text in joined]
    unpacker = zstandard.ZstdDecompressor()
    print(f"{len(frames)} frames, {sum(map(len, frames)) / len(frames):.0f} bytes on average")
    with tempfile.TemporaryDirectory(prefix="himari-bench-") as folder:
        _show("append", "os.write", len(frames), lambda: _append(Path(folder), frames), lambda: _write(folder, frames))
    _show(
        "route", "msgspec", len(frames), lambda: [route(r) for r in records], lambda: list(map(decoder.decode, frames))
    )
    _show(
        "pack",
        "zstd",
        len(frames),
        lambda: [packer.pack(r, START) for r in runs],
        lambda: list(map(bare.compress, joined)),
    )
    _show(
        "unpack",
        "zstd",
        len(frames),
        lambda: list(map(packer.unpack, chunks)),
        lambda: list(map(unpacker.decompress, packed)),
    )


def _show(name: str, reference: str, count: int, ours: Callable[[], object], theirs: Callable[[], object]) -> None:
    mine, least = (min(_timed(work) for _ in range(RUNS)) for work in (ours, theirs))
    print(
        f"{name:<8} {count / mine:10,.0f} records/s; {reference:<8} {count / least:10,.0f}/s; "
        f"{mine / least:5.1f} times the reference's time, {mine / count * 1e6:.1f} us a record"
    )


def _timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _append(folder: Path, frames: list[bytes]) -> None:
    settings = JournalSettings(
        path=folder, max_bytes=1 << 32, segment_bytes=1 << 30, min_free_bytes=0, segment_seconds=60, fsync_ms=200
    )
    journal = Journal.open(settings, "bench", router("binance"))
    for n, frame in enumerate(frames):
        number = journal.append(Kind.FRAME, frame, line=0, received_ns=n, monotonic_ns=n)
        journal.mark("md:binance:BTC/USDT:trades", "trade", number, n, n)
    journal.close()


def _write(folder: str, frames: list[bytes]) -> None:
    descriptor = os.open(Path(folder) / "bare", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    for frame in frames:
        os.write(descriptor, frame)
    os.close(descriptor)


if __name__ == "__main__":
    main()
