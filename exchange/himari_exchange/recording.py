"""A recording of the venue: gzip of lines `<receive ns> <frame>`, with the REST snapshot among them."""

import gzip
import math
import zlib
from collections.abc import Iterator
from hashlib import file_digest
from pathlib import Path
from typing import NamedTuple

import msgspec

from himari_exchange.amounts import units
from himari_exchange.errors import RecordingError
from himari_exchange.instrument import split_symbol

SNAPSHOT = b'{"lastUpdateId"'
Texts = tuple[str, str]


class Envelope(msgspec.Struct):
    """A combined stream's message."""

    stream: str
    data: msgspec.Raw


class RecordedTrade(msgspec.Struct):
    """The fields of a trade that matter here."""

    time: int = msgspec.field(name="T")
    id: int = msgspec.field(name="t")
    price: str = msgspec.field(name="p")
    quantity: str = msgspec.field(name="q")
    buyer_is_maker: bool = msgspec.field(name="m")


class RecordedDiff(msgspec.Struct):
    """The fields of a depthUpdate that matter here."""

    first_id: int = msgspec.field(name="U")
    last_id: int = msgspec.field(name="u")
    bids: tuple[Texts, ...] = msgspec.field(name="b")
    asks: tuple[Texts, ...] = msgspec.field(name="a")


class RecordedTicker(msgspec.Struct):
    """The field of a bookTicker that matters here."""

    update_id: int = msgspec.field(name="u")


class RecordedSnapshot(msgspec.Struct):
    """A REST answer of `depth`."""

    last_id: int = msgspec.field(name="lastUpdateId")
    bids: tuple[Texts, ...]
    asks: tuple[Texts, ...]


class Line(NamedTuple):
    """One line: receive time and text."""

    received_ns: int
    text: bytes


class Survey(NamedTuple):
    """What has to be known of a recording before its first frame is sent."""

    digest: str
    symbols: tuple[str, ...]
    first_event_ms: int
    snapshot: RecordedSnapshot | None
    tick: int
    lot: int


class _Clocked(msgspec.Struct):
    event_ms: int | None = msgspec.field(name="E", default=None)
    price: str | None = msgspec.field(name="p", default=None)
    quantity: str | None = msgspec.field(name="q", default=None)


def lines(path: Path) -> Iterator[Line]:
    """The recording's lines in their order. Raises RecordingError with the line's number."""
    number = 0
    try:
        with gzip.open(path) as recorded:
            for line in recorded:
                number += 1
                received, _, text = line.rstrip(b"\n").partition(b" ")
                yield Line(int(received), text)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise RecordingError(
            f"cannot be read: {error}", where=f"{path}:{number}", expected="gzip of lines `<receive ns> <frame>`"
        ) from error


def survey(path: Path) -> Survey:
    """Read the recording once from end to end. Raises RecordingError when it cannot be replayed."""
    symbols: dict[str, None] = {}
    snapshot: RecordedSnapshot | None = None
    first_event_ms: int | None = None
    tick, lot = 0, 0
    for number, line in enumerate(lines(path), 1):
        try:
            if line.text.startswith(SNAPSHOT):
                snapshot = snapshot or msgspec.json.decode(line.text, type=RecordedSnapshot)
                continue
            envelope = msgspec.json.decode(line.text, type=Envelope)
            clocked = msgspec.json.decode(envelope.data, type=_Clocked)
            symbols[_symbol(envelope.stream)] = None
            tick, lot = math.gcd(tick, units(clocked.price or "0")), math.gcd(lot, units(clocked.quantity or "0"))
        except (msgspec.MsgspecError, ValueError) as error:
            raise RecordingError(f"is not a frame that the venue sends: {error}", where=f"{path}:{number}") from error
        first_event_ms = clocked.event_ms if first_event_ms is None else first_event_ms
    if first_event_ms is None:
        raise RecordingError("no frame has an event time", where=str(path), expected="at least one trade or diff")
    if snapshot and len(symbols) > 1:
        raise RecordingError("it is unclear whose the REST snapshot is", where=str(path), expected="one symbol")
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    return Survey(digest, tuple(symbols), first_event_ms, snapshot, _power_of_ten(tick), _power_of_ten(lot))


def _symbol(stream: str) -> str:
    symbol = stream.partition("@")[0].upper()
    split_symbol(symbol)
    return symbol


def _power_of_ten(step: int) -> int:
    """The greatest power of ten that divides `step` (1 when there is none to go by)."""
    power = 1
    while step and step % (power * 10) == 0:
        power *= 10
    return power
