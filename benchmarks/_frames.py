"""Frames of many symbols: a seeded market's, or slices of a recording under other names."""

import gzip
from collections.abc import Iterator
from itertools import chain, islice, product
from pathlib import Path
from string import ascii_uppercase

from himari_exchange.market import Market

MS = 1_000_000
BEGIN_NS = 1_700_000_000_000_000_000
STEP_NS = 2 * MS
SUBSCRIBED = ("@trade", "@depth@100ms", "@bookTicker")
LIQUID = ("BTC", "ETH", "SOL", "BNB")


def symbols(count: int) -> tuple[str, ...]:
    """Unified symbols: some that exist, then made-up ones."""
    made_up = ("".join(letters) for letters in product("CDFGH", ascii_uppercase, ascii_uppercase))
    return tuple(f"{base}/USDT" for base in islice(chain(LIQUID, made_up), count))


def market_frames(count: int, frames_per_s: float, seconds: float) -> list[bytes]:
    """A seeded market of `count` symbols, as one line would bring it."""
    names = [symbol.replace("/", "") for symbol in symbols(count)]
    market = Market(names, seed=7, frames_per_s=frames_per_s, first_id=50_000_000_000)
    market.advance(BEGIN_NS)
    steps = range(BEGIN_NS, BEGIN_NS + int(seconds * 1e9), STEP_NS)
    frames = (frame for now_ns in steps for frame in market.advance(now_ns + STEP_NS))
    return [frame.text(combined=True) for frame in frames if frame.stream.endswith(SUBSCRIBED)]


def recorded_frames(path: Path, count: int, speed: float, seconds: float) -> list[bytes]:
    """A recording of BTCUSDT as `count` symbols: each begins at its own place in it and runs `speed` times as fast."""
    recorded = list(_recorded(path))
    span = recorded[-1][0] - recorded[0][0] - int(seconds * speed * 1e9)
    found: list[tuple[int, bytes]] = []
    for index, symbol in enumerate(symbols(count)):
        name = symbol.replace("/", "").encode()
        begin = recorded[0][0] + span * index // count
        for at_ns, frame in recorded:
            if 0 <= at_ns - begin < seconds * speed * 1e9:
                renamed = frame.replace(b"btcusdt", name.lower()).replace(b"BTCUSDT", name)
                found.append((int((at_ns - begin) / speed), renamed))
    return [frame for _, frame in sorted(found)]


def _recorded(path: Path) -> Iterator[tuple[int, bytes]]:
    with gzip.open(path, "rb") as file:
        for line in file:
            at_ns, frame = line.rstrip().split(b" ", 1)
            if frame.startswith(b'{"stream"'):
                yield int(at_ns), frame
