"""Bytes on the link at 8 MB/s of frames, counted on wg0 between two hosts of a lab; the limit is 0.35 of the frames.

The frames enter at the journal, through the collector's own intake: a simulator, TLS and a WebSocket client in Python
on the same cores could not send 8 MB/s besides. From there all is real: the journal on disk, the pusher, Redis, the
tunnel, the consumer, Parquet; once over one line and once over two, which bring the same. The first row is what the
lab's collector does through its sockets at 400 frames/s.
`RECORDING=path` takes frames of a recording, under a hundred names, in place of the seeded market's.
The reference of the same run is the frames' own bytes."""

import os
import time
from pathlib import Path

from benchmarks._frames import market_frames, recorded_frames
from benchmarks._lab import BenchLab, any_lab
from benchmarks._link_load import COUNTERS, Carried, carry
from benchmarks._machine import MissedError, load, verdict
from himari.catalog.ports import CONSUMER_METRICS
from himari.stack.load import load_stack
from himari.stack.network import tunnel_address
from himari.stack.sizes import linger_ms
from himari_runtime.messages import START, Kind, Record
from himari_runtime.transport.chunks import Packer
from himari_runtime.venues.registry import primer, router

SYMBOLS = 100
BYTES_PER_S = 8_000_000
SECONDS = float(os.environ.get("BENCH_SECONDS", "20"))
FRAMES_PER_S = 32_000
MADE_SECONDS = 2.0  # of frames, repeated: a chunk holds some ms of them and knows nothing of earlier ones
RECORDED_SPEED = 2.7  # a hundred times the recording at this speed are 8 MB/s
LIMIT = 0.35
LIVE_SECONDS = 20
ENTRY_BYTES = 52  # an entry in XREAD's answer, beside what is packed
TUNNEL = 1.04  # TCP/IP and WireGuard of full packets
METRICS = """\
import sys, urllib.request
text = urllib.request.urlopen(f"http://{sys.argv[1]}/metrics").read().decode()
values = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
print(values["himari_frame_bytes_total"], values["himari_consumed_records_total"])
"""


def main() -> None:
    """Print all rows; raises MissedError where a load is beyond the limit, or did not arrive whole."""
    recording = os.environ.get("RECORDING", "")
    frames = _recorded(Path(recording)) if recording else market_frames(SYMBOLS, FRAMES_PER_S, MADE_SECONDS)
    mean = sum(map(len, frames)) / len(frames)
    print(f"frames of {recording or 'the seeded market'}, {SYMBOLS} symbols, {mean:.0f} bytes on average; {load()}")
    ratio, records = _computed(frames)
    print(f"computed, where the pusher keeps pace: {records:.1f} records a chunk, ratio {ratio:.3f} without requests")
    with any_lab() as lab:
        _show_live(lab)
        carried = {lines: carry(lab, frames, SYMBOLS, BYTES_PER_S, SECONDS, lines=lines) for lines in (1, 2)}
    for lines, load_of in carried.items():
        _show(load_of, lines)
    if missed := [f"{lines} line{'s'[: lines - 1]}" for lines, one in carried.items() if not _holds(one)]:
        raise MissedError(", ".join(missed))


def _recorded(path: Path) -> list[bytes]:
    return recorded_frames(path, SYMBOLS, RECORDED_SPEED, MADE_SECONDS)


def _holds(carried: Carried) -> bool:
    return carried.ratio <= LIMIT and carried.is_whole


def _show(carried: Carried, lines: int) -> None:
    fed = carried.fed
    print(
        f"journal to Parquet, {lines} line{'s'[: lines - 1]}, 8 MB/s asked: "
        f"{fed.bytes / 1e6:.1f} MB of frames in {fed.seconds:.1f} s "
        f"({fed.bytes / fed.seconds / 1e6:.2f} MB/s, {fed.frames / fed.seconds:.0f} frames/s); {load()}"
    )
    print(f"  wg0: {carried.received / 1e6:.2f} MB in, {carried.sent / 1e6:.2f} MB out")
    print(f"  ratio {carried.ratio:.3f}, limit {LIMIT}: {verdict(carried.ratio, LIMIT)}")
    print(
        f"  {fed.records / carried.chunks:.1f} records a chunk; in Redis {carried.buffer_bytes / fed.bytes:.3f}", end=""
    )
    print(f", in Parquet {carried.parquet_bytes / fed.bytes:.3f} of the frames' bytes")
    used = ", ".join(f"{name} {seconds:.1f}" for name, seconds in carried.cpu.items())
    print(f"  CPU seconds: {used}")
    print(f"  at the end {fed.behind} records to push, pushed after {fed.drain_seconds:.2f} s", end="")
    print(f", read on the brain after {carried.lag_seconds:.2f} s")
    equal = "equal" if carried.is_whole else "NOT EQUAL"
    print(f"  records: {fed.records} journaled, {fed.kept} without copies, {carried.stored} stored: {equal}")


def _computed(frames: list[bytes]) -> tuple[float, float]:
    """Ratio and records a chunk where the pusher keeps pace: each stream's frames of one linger, packed and framed."""
    route, packer = router("binance"), Packer(primer("binance"))
    spent = linger_ms(load_stack("vps-brain")) / 1000 * BYTES_PER_S
    size = packed = chunks = 0
    streams: dict[str, list[Record]] = {}
    for n, frame in enumerate(frames, 1):
        at = int(size / BYTES_PER_S * 1e9) + hash(frame) % 20_000
        record = Record(1, n, Kind.FRAME, 0, at, at - hash(frame) % 1_000, frame)
        streams.setdefault(route(record).stream, []).append(record)
        if size // spent != (size := size + len(frame)) // spent:
            packed += sum(len(packer.pack(records, START).packed) + ENTRY_BYTES for records in streams.values())
            chunks += len(streams)
            streams = {}
    return packed * TUNNEL / size, len(frames) / chunks


def _show_live(lab: BenchLab) -> None:
    first = _live(lab)
    time.sleep(LIVE_SECONDS)
    last = _live(lab)
    link, frames, records = (after - before for before, after in zip(first, last, strict=True))
    print(
        f"through sockets: {records / LIVE_SECONDS:.0f} records/s, {frames / LIVE_SECONDS / 1e3:.0f} kB/s of frames, "
        f"wg0 {link / LIVE_SECONDS / 1e3:.0f} kB/s: ratio {link / frames:.3f} (no limit: few records share a chunk)"
    )


def _live(lab: BenchLab) -> tuple[float, float, float]:
    """Bytes on the brain's wg0, bytes and number of the records that its consumer has read."""
    place = f"{tunnel_address(load_stack('lab-edge'), 'brain')}:{CONSUMER_METRICS}"
    link = sum(map(int, lab.inside("brain", COUNTERS).split()))
    frames, records = map(float, lab.inside("brain", f"python3 - {place}", METRICS.encode()).split())
    return link, frames, records


if __name__ == "__main__":
    main()
