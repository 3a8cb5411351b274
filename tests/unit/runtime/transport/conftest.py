"""A journal in a temporary folder, over a venue whose frames say which stream they belong to."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from himari_runtime.messages import Channel, Kind, Position, Record, Route, meta_stream
from himari_runtime.transport.journal import Journal
from himari_runtime.transport.reader import JournalReader
from tests.unit.runtime.made import journal_settings

OpenJournal = Callable[..., Journal]


def route(record: Record) -> Route:
    """Payloads are `stream id`; all other kinds concern the venue."""
    if record.kind != Kind.FRAME:
        return Route(meta_stream("toy"), "_", Channel.EPOCH)
    stream, number = record.payload.decode().split()
    return Route(stream, "BTC/USDT", Channel.TRADE, int(number), int(number))


def append(journal: Journal, text: str, at: int = 0) -> int:
    """A frame of line 1, received and measured at `at` ns."""
    return journal.append(Kind.FRAME, text.encode(), line=1, received_ns=at, monotonic_ns=at)


def read_all(folder: Path) -> list[Record]:
    """All records that the journal's files hold."""
    reader = JournalReader(folder, Position(0, 0))
    found: list[Record] = []
    while records := reader.read(1000):
        found += records
    reader.close()
    return found


@pytest.fixture
def open_journal(tmp_path: Path) -> OpenJournal:
    """Opens the journal in `tmp_path`; keywords replace settings."""

    def opened(**replaced: float) -> Journal:
        made = journal_settings(tmp_path, segment_bytes=1 << 20)
        return Journal.open(msgspec.structs.replace(made, **({"fsync_ms": 5} | replaced)), "edge", route)

    return opened
