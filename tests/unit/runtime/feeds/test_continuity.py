"""Gaps and resyncs are written where they belong, after the event that shows them; a restart forgets none."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from himari_runtime.feeds.continuity import Continuity
from himari_runtime.feeds.intake import Intake, Taken
from himari_runtime.feeds.past import Past
from himari_runtime.messages import START, Channel, Gap, Kind, Mark, Reason, Record, Resync
from himari_runtime.transport.journal import Journal
from himari_runtime.transport.reader import JournalReader
from himari_runtime.venues.registry import dialect
from tests.unit.runtime.made import journal_settings

WAIT_NS = 10**12


class Bench:
    """A journal, and what is asked of the venue."""

    def __init__(
        self, folder: Path, marks: dict[str, Mark] | None = None, wait_ns: int = 0, segment_bytes: int = 1 << 24
    ) -> None:
        venue = dialect("binance")
        self.journal = Journal.open(journal_settings(folder, segment_bytes), "edge", venue.route, venue.dense)
        previous = self.journal.previous
        self.intake = Intake(dialect("binance"), self.journal)
        self.backfills: list[Gap] = []
        self.wanted: list[str] = []
        self.continuity = Continuity(
            self.intake,
            dialect("binance"),
            ("BTC/USDT",),
            Past(marks or previous.marks, waiting=previous.waiting, restarted=bool(marks or previous.marks)),
            wait_ns=wait_ns,
            backfill=self.backfills.append,
            want=self.wanted.append,
        )
        self.continuity.settle()

    def kill(self) -> None:
        """What SIGKILL leaves: the last segment is not sealed, the lock is gone."""
        self.journal._keeper.stop()
        os.close(self.journal._fd)
        os.close(self.journal._lock)

    def stop(self) -> None:
        """What SIGTERM leaves."""
        self.continuity.settle()
        self.journal.close()

    def frame(self, stream: str, **data: object) -> None:
        self.continuity.follow(self.journaled(stream, **data))

    def journaled(self, stream: str, **data: object) -> Taken:
        """A frame that nobody has looked at yet."""
        said = json.dumps({"stream": f"btcusdt@{stream}", "data": {"s": "BTCUSDT", **data}})
        return self.intake.take(Kind.FRAME, said.encode())

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
        found = []
        while records := reader.read():
            found += records
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


def shown(said: list[Gap | Resync]) -> list[tuple[str, int | None, int | None, Reason]]:
    return [(gap.channel, gap.after_id, gap.before_id, gap.reason) for gap in said if isinstance(gap, Gap)]


def lose_both(bench: Bench) -> None:
    """A hole in either channel, and what came behind it."""
    for number in (*range(1, 11), 15, 16):
        bench.trade(number)
    for first_id in (*range(1, 111, 10), 131):
        bench.depth(first_id, first_id + 9)


HOLES = {("trade", 10, 15, Reason.SEQUENCE), ("depth", 110, 131, Reason.SEQUENCE)}


@pytest.mark.parametrize("segment_bytes", [1 << 24, 300])
def test_a_hole_that_waits_when_the_collector_is_killed_is_disclosed_by_the_next(
    tmp_path: Path, segment_bytes: int
) -> None:
    """Also where the segment that shows the hole is not the last."""
    killed = Bench(tmp_path, wait_ns=WAIT_NS, segment_bytes=segment_bytes)
    lose_both(killed)
    assert killed.said() == []
    killed.kill()
    bench = Bench(tmp_path, wait_ns=WAIT_NS)
    assert set(shown(bench.said())) == HOLES
    assert bench.wanted == []
    bench.trade(30)
    bench.depth(200, 210)
    bench.stop()
    assert {*shown(bench.said())} - HOLES == {("trade", 16, 30, Reason.START), ("depth", 140, 200, Reason.START)}
    assert [(gap.after_id, gap.before_id) for gap in bench.backfills] == [(10, 15), (16, 30)]


def test_a_hole_is_disclosed_once_however_often_the_collector_is_killed(tmp_path: Path) -> None:
    bench = Bench(tmp_path, wait_ns=WAIT_NS)
    lose_both(bench)
    for _ in range(3):
        bench.kill()
        bench = Bench(tmp_path, wait_ns=WAIT_NS)
    bench.stop()
    assert len(bench.said()) == len(HOLES)


def test_a_collector_that_is_stopped_leaves_no_hole_undisclosed(tmp_path: Path) -> None:
    bench = Bench(tmp_path, wait_ns=WAIT_NS)
    lose_both(bench)
    bench.stop()
    assert set(shown(bench.said())) == HOLES


IDS = 12  # of a life's events


class Life(NamedTuple):
    """A run of the collector: what each of two lines brings, whose turn it is, after which turns the wait is over."""

    kept: tuple[set[int], set[int]]
    turns: list[bool]
    waits: set[int]
    end: str

    def arrivals(self, base: int) -> Iterator[int]:
        lines = [sorted(kept) for kept in self.kept]
        for turn in self.turns:
            if lines[turn]:
                yield base + lines[turn].pop(0)

    def run(self, bench: Bench, base: int) -> None:
        number = base
        for place, number in enumerate(self.arrivals(base)):
            bench.trade(number)
            bench.depth(2 * number - 1, 2 * number)
            if place in self.waits:
                bench.continuity.expire(bench.intake.take(Kind.FRAME, b"pause").record.monotonic_ns + WAIT_NS)
        if self.end == "killed before it looked":
            bench.journaled("trade", t=base + IDS + 2)
            bench.journaled("depth@100ms", U=2 * (base + IDS) + 3, u=2 * (base + IDS) + 4)


LIVES = st.lists(
    st.builds(
        Life,
        kept=st.tuples(st.sets(st.integers(1, IDS)), st.sets(st.integers(1, IDS))),
        turns=st.lists(st.booleans(), min_size=2 * IDS, max_size=2 * IDS),
        waits=st.sets(st.integers(0, 2 * IDS), max_size=2),
        end=st.sampled_from(["killed", "killed before it looked", "stopped"]),
    ),
    min_size=1,
    max_size=4,
)


@settings(deadline=None, max_examples=50)
@given(lives=LIVES, segment_bytes=st.sampled_from([300, 1500, 1 << 24]))
def test_each_id_is_stored_or_disclosed_whenever_the_collector_dies(lives: list[Life], segment_bytes: int) -> None:
    with TemporaryDirectory() as folder:
        base = 1
        for life in lives:
            bench = Bench(Path(folder), wait_ns=WAIT_NS, segment_bytes=segment_bytes)
            bench.trade(base)
            bench.depth(2 * base - 1, 2 * base)
            life.run(bench, base)
            bench.stop() if life.end == "stopped" else bench.kill()
            base += IDS + 4
        bench = Bench(Path(folder))
        bench.trade(base)
        bench.depth(2 * base - 1, 2 * base)
        bench.stop()
        assert unaccounted(bench, Channel.TRADE) == set()
        assert unaccounted(bench, Channel.DEPTH) == set()


def unaccounted(bench: Bench, channel: Channel) -> set[int]:
    """Ids that are neither stored nor in a gap; fails where a gap claims what was stored when it was written."""
    stored: set[int] = set()
    disclosed: set[int] = set()
    for record in bench.records():
        where = dialect("binance").route(record)
        if where.channel == channel:
            stored |= set(range(where.first_id, where.last_id + 1))
        elif where.channel is Channel.GAP:
            gap = msgspec.json.decode(record.payload, type=Gap)
            if gap.channel == channel and gap.after_id is not None and gap.before_id is not None:
                claimed = set(range(gap.after_id + 1, gap.before_id))
                assert {gap.after_id, gap.before_id} <= stored
                assert claimed.isdisjoint(stored | disclosed)
                disclosed |= claimed
    return set(range(1, max(stored) + 1)) - stored - disclosed
