"""Replay of a recording: the venue's own bytes, with event and trade times moved by one constant."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec

from himari_exchange.amounts import units
from himari_exchange.book import Book, Side
from himari_exchange.frames import Frame, depth_frame, ticker_frame, trade_frame
from himari_exchange.instrument import Instrument
from himari_exchange.recording import (
    SNAPSHOT,
    Envelope,
    Line,
    RecordedDiff,
    RecordedSnapshot,
    RecordedTicker,
    RecordedTrade,
    Texts,
    lines,
    survey,
)
from himari_exchange.tape import Trade

MS = 1_000_000
CLOCKS = re.compile(rb'"([ET])":([0-9]{13,16})')
MICROSECOND_DIGITS = 16


class Start(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When this recording began to be replayed; kept, so that a restarted simulator goes on rather than back."""

    recording: str  # sha256 of the file
    started_ns: int
    speed: Annotated[float, msgspec.Meta(gt=0)]


class Replay:
    """A recording at `speed`, from the first subscription on. `note` is the file that remembers when that was."""

    def __init__(self, path: Path, *, speed: float, note: Path) -> None:
        """Raises RecordingError."""
        self._survey = survey(path)
        self._note, self._speed = note, speed
        self.instruments = {
            symbol: Instrument(symbol, book=_book(self._survey.snapshot), tick=self._survey.tick, lot=self._survey.lot)
            for symbol in self._survey.symbols
        }
        self._lines = lines(path)
        self._next: Line | None = next(self._lines)
        self._first_ns = self._next.received_ns
        self._start: Start | None = None

    def resume(self, now_ns: int) -> bool:
        """Go on where a run before this one would be by now; false when none had begun."""
        self._start = self._remembered()
        if self._start is not None:
            self.advance(now_ns)
        return self._start is not None

    def begin(self, now_ns: int) -> None:
        """The first subscription starts the recording; later ones change nothing."""
        if self._start is None:
            self._start = Start(self._survey.digest, now_ns, self._speed)
            self._note.parent.mkdir(parents=True, exist_ok=True)
            self._note.write_bytes(msgspec.json.encode(self._start))

    def advance(self, now_ns: int) -> list[Frame]:
        """The frames that are due by `now_ns`; none before the start, and none after the end."""
        if self._start is None:
            return []
        frames = []
        for line in self._due(self._first_ns + (now_ns - self._start.started_ns) * self._start.speed):
            if not line.text.startswith(SNAPSHOT):
                frames.append(self._frame(msgspec.json.decode(line.text, type=Envelope)))
        return frames

    @property
    def shift_ms(self) -> int:
        """What is added to every event and trade time, so that the first event happens at the start."""
        return self._start.started_ns // MS - self._survey.first_event_ms if self._start else 0

    def _remembered(self) -> Start | None:
        try:
            start = msgspec.json.decode(self._note.read_bytes(), type=Start)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        return start if start.recording == self._survey.digest and start.speed == self._speed else None

    def _due(self, recorded_ns: float) -> Iterator[Line]:
        while self._next is not None and self._next.received_ns <= recorded_ns:
            yield self._next
            self._next = next(self._lines, None)

    def _frame(self, envelope: Envelope) -> Frame:
        data = CLOCKS.sub(self._moved, bytes(envelope.data))
        name, _, channel = envelope.stream.partition("@")
        instrument = self.instruments[name.upper()]
        if channel == "trade":
            return _trade(instrument, data)
        if channel.startswith("depth"):
            return _diff(instrument, envelope.stream, data)
        if channel == "bookTicker":
            return ticker_frame(instrument.symbol, msgspec.json.decode(data, type=RecordedTicker).update_id, data)
        return Frame(envelope.stream, data)

    def _moved(self, clock: re.Match[bytes]) -> bytes:
        name, time = clock.groups()
        shift = self.shift_ms * 1000 if len(time) == MICROSECOND_DIGITS else self.shift_ms
        return b'"%b":%d' % (name, int(time) + shift)


def _trade(instrument: Instrument, data: bytes) -> Frame:
    said = msgspec.json.decode(data, type=RecordedTrade)
    trade = Trade(said.id, units(said.price), units(said.quantity), said.time, said.buyer_is_maker)
    instrument.tape.add(trade)
    return trade_frame(instrument.symbol, trade, said.price, said.quantity, data)


def _diff(instrument: Instrument, stream: str, data: bytes) -> Frame:
    said = msgspec.json.decode(data, type=RecordedDiff)
    book = instrument.book
    if said.last_id > book.last_id:
        _put(book.bids, said.bids)
        _put(book.asks, said.asks)
        book.last_id = said.last_id
    return depth_frame(instrument.symbol, stream, said.first_id, said.last_id, data)


def _book(snapshot: RecordedSnapshot | None) -> Book:
    book = Book()
    if snapshot:
        _put(book.bids, snapshot.bids)
        _put(book.asks, snapshot.asks)
        book.last_id = snapshot.last_id
    return book


def _put(side: Side, levels: tuple[Texts, ...]) -> None:
    for price, quantity in levels:
        side.put(units(price), units(quantity))
