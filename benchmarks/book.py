"""A depth frame decoded and put into its book, beside msgspec's own limit: what decoding alone takes.

In one process and thread, best of three in CPU time, each over all depth frames. Two limits: msgspec decoding what our
route asks for (the names of an event, the rest passed over), and msgspec decoding a whole update with its levels in one
pass. Beside the first stands our route of a record; beside the second our decoding (which leaves the levels raw until a
book wants them) with `Book.update`. The books are aligned at their first update and hold what the frames bring.
`RECORDING=path` takes frames of a recording in place of the seeded market's."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from benchmarks._frames import market_frames, recorded_frames
from benchmarks._machine import commit, load
from himari_runtime.messages import Channel, Kind, Record
from himari_runtime.venues.anchor import Verdict
from himari_runtime.venues.binance import wire
from himari_runtime.venues.binance.book import Book
from himari_runtime.venues.registry import router

SYMBOLS = 20
FRAMES_PER_S = 2000.0  # of all channels, so that an update holds about as much as a busy symbol's
SECONDS = float(os.environ.get("BENCH_SECONDS", "20"))
RUNS = 3
EMPTY = msgspec.Raw(b"[]")
T = TypeVar("T")
Work = Callable[[], None]


class Levels(msgspec.Struct, frozen=True, rename={"first_id": "U", "last_id": "u", "bids": "b", "asks": "a"}):
    """`wire.DepthUpdate` with its levels read."""

    first_id: wire.Id
    last_id: wire.Id
    bids: list[wire.Level]
    asks: list[wire.Level]


class Whole(msgspec.Struct, frozen=True):
    """A frame of a combined stream, read to its last level."""

    stream: str
    data: Levels


class Raw(msgspec.Struct, frozen=True):
    """A frame of a combined stream, as a book takes it."""

    stream: str
    data: wire.DepthUpdate


def main() -> None:
    """Print a row for the route and one for the book."""
    recording = os.environ.get("RECORDING", "")
    records = _depth(_made(recording))
    frames = [record.payload for record in records]
    mean = sum(map(len, frames)) / len(frames)
    source = recording or "the seeded market"
    print(f"{len(frames)} depth frames of {source}, {SYMBOLS} symbols, {mean:.0f} bytes; {commit()}; {load()}")
    route = router("binance")
    identify, whole = msgspec.json.Decoder(wire.Identified).decode, msgspec.json.Decoder(Whole).decode
    _show("route", "its fields", len(frames), lambda: _each(route, records), lambda: _each(identify, frames))
    _show("decode and book", "whole updates", len(frames), lambda: _followed(frames), lambda: _each(whole, frames))


def _made(recording: str) -> list[bytes]:
    if recording:
        return recorded_frames(Path(recording), SYMBOLS, 1.0, SECONDS)
    return market_frames(SYMBOLS, FRAMES_PER_S, SECONDS)


def _depth(frames: list[bytes]) -> list[Record]:
    route = router("binance")
    records = (Record(1, n, Kind.FRAME, 0, n, n, frame) for n, frame in enumerate(frames, 1))
    return [record for record in records if route(record).channel is Channel.DEPTH]


def _each(work: Callable[[T], object], items: Iterable[T]) -> None:
    """Keeps no result: what many of them cost the garbage collector is no part of it."""
    deque(map(work, items), maxlen=0)


def _followed(frames: list[bytes]) -> None:
    """Raises RuntimeError where an update does not fit its book: then something else was measured."""
    decode = msgspec.json.Decoder(Raw).decode
    books: dict[str, Book] = {}
    for payload in frames:
        frame = decode(payload)
        book = books.get(frame.stream)
        if book is None:
            books[frame.stream] = _aligned(frame.data)
        elif book.update(frame.data) is not Verdict.APPLY:
            raise RuntimeError(f"an update does not follow the one before it: {payload[:120]!r}")


def _aligned(first: wire.DepthUpdate) -> Book:
    book = Book()
    book.update(first)
    book.snapshot(wire.Depth(first.first_id, EMPTY, EMPTY))
    return book


def _show(name: str, what: str, count: int, ours: Work, least: Work) -> None:
    """One after the other, so that what the machine does besides hits both."""
    pairs = [(_timed(ours), _timed(least)) for _ in range(RUNS)]
    mine, limit = (min(seconds) / count * 1e6 for seconds in zip(*pairs, strict=True))
    print(f"{name:<16} {mine:6.2f} us a frame; msgspec alone, {what:<13} {limit:6.2f} us; {mine / limit:5.2f} times it")


def _timed(work: Work) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main()
