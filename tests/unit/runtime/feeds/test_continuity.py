"""Gaps and resyncs are written where they belong, after the event that shows them."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from himari_runtime.feeds.continuity import Continuity
from himari_runtime.feeds.intake import Intake
from himari_runtime.feeds.past import Past
from himari_runtime.messages import START, Channel, Gap, Kind, Mark, Reason, Record, Resync
from himari_runtime.transport.journal import Journal
from himari_runtime.transport.reader import JournalReader
from himari_runtime.venues.registry import dialect
from tests.unit.runtime.made import journal_settings

WAIT_NS = 10**12


class Bench:
    """A journal, and what is asked of the venue."""

    def __init__(self, folder: Path, marks: dict[str, Mark] | None = None, wait_ns: int = 0) -> None:
        settings = journal_settings(folder)
        self.journal = Journal.open(settings, "edge", dialect("binance").route)
        self.intake = Intake(dialect("binance"), self.journal)
        self.backfills: list[Gap] = []
        self.wanted: list[str] = []
        self.continuity = Continuity(
            self.intake,
            dialect("binance"),
            ("BTC/USDT",),
            Past(marks or {}, restarted=bool(marks)),
            wait_ns=wait_ns,
            backfill=self.backfills.append,
            want=self.wanted.append,
        )

    def frame(self, stream: str, **data: object) -> None:
        said = json.dumps({"stream": f"btcusdt@{stream}", "data": {"s": "BTCUSDT", **data}})
        self.continuity.follow(self.intake.take(Kind.FRAME, said.encode()))

    def trade(self, number: int) -> None:
        self.frame("trade", t=number)

    def depth(self, first_id: int, last_id: int) -> None:
        self.frame("depth@100ms", U=first_id, u=last_id, b=[], a=[])

    def said(self) -> list[Gap | Resync]:
        """Gaps and resyncs of the journal, in order."""
        types = {Kind.GAP: Gap, Kind.RESYNC: Resync}
        return [
            msgspec.json.decode(each.payload, type=types[each.kind]) for each in self.records() if each.kind in types
        ]

    def records(self) -> list[Record]:
        reader = JournalReader(self.journal.settings.path, START)
        found = reader.read()
        reader.close()
        return found


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    found = Bench(tmp_path)
    yield found
    found.journal.close()


def test_a_missing_trade_is_disclosed_after_the_one_that_shows_it(bench: Bench) -> None:
    for number in (1, 2, 5):
        bench.trade(number)
    records = bench.records()
    assert [record.kind for record in records[-2:]] == [Kind.FRAME, Kind.GAP]
    (gap,) = bench.said()
    assert isinstance(gap, Gap)
    assert (gap.channel, gap.after_id, gap.before_id, gap.reason) == (Channel.TRADE, 2, 5, Reason.SEQUENCE)
    assert (gap.after_ns, gap.before_ns) == (records[-3].received_ns, records[-2].received_ns)
    assert bench.backfills == [gap]


def test_repeated_and_late_trades_say_nothing(bench: Bench) -> None:
    for number in (1, 2, 2, 1, 3):
        bench.trade(number)
    assert bench.said() == []


def test_a_book_announces_the_update_that_its_snapshot_leads_to(bench: Bench) -> None:
    bench.depth(10, 12)
    assert bench.wanted == ["BTC/USDT"]
    book = bench.continuity.books["BTC/USDT"]
    assert not book.snapshot(9)
    bench.depth(13, 15)
    assert book.snapshot(13)
    assert bench.said() == [
        Resync(venue="binance", symbol="BTC/USDT", snapshot_id=13, first_id=13, reason=Reason.START)
    ]


def test_a_snapshot_ahead_of_the_updates_is_announced_when_they_reach_it(bench: Bench) -> None:
    bench.depth(10, 12)
    assert bench.continuity.books["BTC/USDT"].snapshot(14)
    bench.depth(13, 14)
    assert bench.said() == []
    bench.depth(15, 16)
    assert [message.first_id for message in bench.said() if isinstance(message, Resync)] == [15]


def test_a_late_update_is_a_gap_and_a_new_book(bench: Bench) -> None:
    bench.depth(1, 2)
    bench.continuity.books["BTC/USDT"].snapshot(1)
    for first_id, last_id in ((5, 6), (3, 4), (7, 8)):
        bench.depth(first_id, last_id)
    assert bench.wanted == ["BTC/USDT", "BTC/USDT"]
    assert bench.continuity.books["BTC/USDT"].snapshot(6)
    said = bench.said()
    assert [type(message) for message in said] == [Resync, Gap, Resync]
    assert [message.reason for message in said] == [Reason.START, Reason.SEQUENCE, Reason.SEQUENCE]


def test_a_restart_goes_on_from_the_recovered_marks(tmp_path: Path) -> None:
    marks = {
        "md:binance:BTC/USDT:trades|trade": Mark(5, 1, 100, 1000),
        "md:binance:BTC/USDT:book|book_ticker": Mark(6, 1, 50, 1001),
    }
    bench = Bench(tmp_path, marks)
    bench.trade(101)
    bench.frame("bookTicker", u=51)
    bench.depth(1, 2)
    gaps = [gap for gap in bench.said() if isinstance(gap, Gap)]
    bench.journal.close()
    assert [(gap.channel, gap.after_id, gap.after_ns, gap.before_id) for gap in gaps] == [
        (Channel.BOOK_TICKER, 50, 1001, 51),
        (Channel.DEPTH, None, None, 1),
    ]
    assert bench.backfills == []


def test_what_the_other_line_may_bring_is_waited_for_and_then_disclosed(tmp_path: Path) -> None:
    bench = Bench(tmp_path, wait_ns=WAIT_NS)
    for number in (1, 2, 5, 3, 4, 8):
        bench.trade(number)
    assert bench.said() == []
    bench.continuity.expire(bench.records()[-1].monotonic_ns + WAIT_NS - 1)
    assert bench.said() == []
    bench.continuity.expire(bench.records()[-1].monotonic_ns + WAIT_NS)
    (gap,) = bench.said()
    bench.journal.close()
    assert isinstance(gap, Gap)
    assert (gap.after_id, gap.before_id) == (5, 8)
    assert bench.backfills == [gap]


def test_a_book_goes_on_with_what_the_other_line_brings(tmp_path: Path) -> None:
    bench = Bench(tmp_path, wait_ns=WAIT_NS)
    bench.depth(1, 2)
    bench.continuity.books["BTC/USDT"].snapshot(1)
    for first_id, last_id in ((5, 6), (3, 4), (5, 6), (7, 8)):
        bench.depth(first_id, last_id)
    bench.continuity.expire(bench.records()[-1].monotonic_ns + WAIT_NS)
    bench.journal.close()
    assert [type(message) for message in bench.said()] == [Resync]
    assert bench.wanted == ["BTC/USDT"]


def test_a_book_whose_ids_begin_anew_begins_anew(bench: Bench) -> None:
    bench.depth(5_000_000, 5_000_001)
    book = bench.continuity.books["BTC/USDT"]
    book.snapshot(5_000_000)
    bench.depth(1, 2)
    assert book.snapshot(1)
    assert [(message.first_id, message.reason) for message in bench.said() if isinstance(message, Resync)] == [
        (5_000_000, Reason.START),
        (1, Reason.RENUMBERED),
    ]
    assert [gap.reason for gap in bench.said() if isinstance(gap, Gap)] == [Reason.RENUMBERED]
    assert bench.backfills == []
