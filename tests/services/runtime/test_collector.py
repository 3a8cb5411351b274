"""The collector as a process, on the simulated venue over TLS and a real buffer."""

import asyncio
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from himari_runtime.feeds.spent import FILE, Saved
from himari_runtime.messages import Channel, Gap, Kind, Reason
from himari_runtime.services.health import health
from tests.services.conftest import RedisServer
from tests.services.runtime.venue import BIN, Collector, Venue, account, until

TRIES = 5


@pytest.fixture
def venue(tmp_path: Path, credentials: Path) -> Iterator[Venue]:
    found = Venue(tmp_path, credentials)
    found.start()
    yield found
    found.stop()


@pytest.fixture
def collector(tmp_path: Path, venue: Venue, redis_server: RedisServer) -> Iterator[Collector]:
    found = Collector(tmp_path, venue.port, redis_server.port)
    found.start()
    yield found
    if found.process is not None and found.process.poll() is None:
        found.kill()


def accounted(venue: Venue, collector: Collector) -> tuple[set[str], set[str]]:
    """Lost and invented keys of what was sent until now; a line keeps the order, so what was sent later ends it."""
    now_ns = time.time_ns()

    def later_ones_came() -> bool:
        held = {event.key for event in collector.digest().events}
        return any(sent_ns > now_ns and key in held for key, _, sent_ns, _, _ in venue.ledger()["events"])

    until(later_ones_came, "later events")
    held = collector.digest()
    return account(venue.ledger(), held, now_ns)


def opened(gaps: list[Gap]) -> set[tuple[str, str, Reason]]:
    return {(gap.symbol, gap.channel, gap.reason) for gap in gaps if not gap.filled}


def test_without_a_fault_all_is_kept_and_nothing_disclosed(
    venue: Venue, collector: Collector, redis_server: RedisServer
) -> None:
    collector.await_events(1500)
    until(lambda: collector.channels() >= {Channel.SNAPSHOT, Channel.RESYNC, Channel.BOOK_POLL}, "books")
    assert accounted(venue, collector) == (set(), set())
    assert collector.channels() - {Channel.KLINE} == {  # a candle closes when a minute does
        *(Channel.TRADE, Channel.DEPTH, Channel.BOOK_TICKER, Channel.SNAPSHOT, Channel.RESYNC, Channel.BOOK_POLL),
        *(Channel.EXCHANGE_INFO, Channel.HEARTBEAT, Channel.EPOCH, Channel.CONTROL),
    }
    status = collector.stop()
    held = collector.digest()
    assert (status, held.gaps, held.unparsed, held.duplicates) == (0, [], 0, 0)
    assert not list(collector.settings.journal.path.glob("*.open"))
    with redis_server.admin() as admin:
        pushed = max(admin.xinfo_stream(key)["last-generated-id"] for key in admin.keys("md:*"))
    assert pushed.decode() == str(collector.records()[-1].position)


def test_a_killed_collector_discloses_a_tight_gap_and_fetches_the_trades(venue: Venue, collector: Collector) -> None:
    collector.await_events(800)
    collector.kill()
    before = collector.digest()
    collector.start()
    collector.await_gaps(lambda gaps: any(gap.filled for gap in gaps), "trades backfilled")
    collector.await_events(400)
    assert accounted(venue, collector) == (set(), set())
    gaps = collector.digest().gaps
    assert {(gap.channel, gap.reason) for gap in gaps} == {
        (channel, Reason.START) for channel in (Channel.TRADE, Channel.DEPTH, Channel.BOOK_TICKER)
    }
    ends = {event.key for event in before.events}
    for gap in gaps:
        kind = {"trade": "t", "depth": "d", "book_ticker": "b"}[gap.channel]
        last = max(
            int(key.rsplit("|", 1)[1]) for key in ends if key.startswith(f"{kind}|{gap.symbol.replace('/', '')}|")
        )
        assert gap.after_id == last
    assert {gap.symbol for gap in gaps if gap.filled} == {gap.symbol for gap in gaps if gap.channel == Channel.TRADE}


def test_a_cut_line_comes_back_with_its_gaps(venue: Venue, collector: Collector) -> None:
    collector.await_events(400)
    venue.order("cut")
    collector.await_gaps(lambda gaps: {gap.symbol for gap in gaps} == {"BTC/USDT", "ETH/USDT"}, "gaps")
    collector.await_events(400)
    assert accounted(venue, collector) == (set(), set())
    gaps = collector.digest().gaps
    assert {gap.reason for gap in gaps} == {Reason.RECONNECT}
    assert {(gap.symbol, gap.channel) for gap in gaps} >= {("BTC/USDT", "book_ticker"), ("ETH/USDT", "book_ticker")}


def test_dropped_frames_are_gaps_and_the_trades_are_fetched(venue: Venue, collector: Collector) -> None:
    collector.await_events(400)
    venue.order("drop", "--count", "3", "--stream", "btcusdt@trade")
    venue.order("drop", "--count", "2", "--stream", "ethusdt@depth*")
    collector.await_gaps(lambda gaps: any(gap.filled for gap in gaps), "trades backfilled")
    collector.await_gaps(lambda gaps: any(gap.channel == Channel.DEPTH for gap in gaps), "depth gap")
    until(lambda: collector.digest().gaps and _resyncs(collector) == 3, "the book begins again")
    assert accounted(venue, collector) == (set(), set())
    assert opened(collector.digest().gaps) == {
        ("BTC/USDT", "trade", Reason.SEQUENCE),
        ("ETH/USDT", "depth", Reason.SEQUENCE),
    }


def test_a_hole_that_waits_for_the_other_line_is_disclosed_before_the_collector_stops(
    venue: Venue, collector: Collector
) -> None:
    drop_updates(venue, collector)
    assert collector.stop() == 0
    assert opened(collector.digest().gaps) == {("BTC/USDT", "depth", Reason.SEQUENCE)}
    assert left_out(collector) == set()


def test_a_hole_that_waits_when_the_collector_is_killed_is_disclosed_by_the_next(
    venue: Venue, collector: Collector
) -> None:
    for _ in range(TRIES):
        drop_updates(venue, collector)
        collector.kill()
        if left_out(collector):
            break
        collector.start()  # the machine was too slow for the 250 ms
    assert left_out(collector)
    collector.start()
    collector.await_events(400)
    assert left_out(collector) == set()
    assert {("BTC/USDT", "depth", reason) for reason in (Reason.SEQUENCE, Reason.START)} <= opened(
        collector.digest().gaps
    )
    assert accounted(venue, collector) == (set(), set())


def drop_updates(venue: Venue, collector: Collector) -> None:
    """Returns when the journal has what is behind the hole, and another line has 250 ms to bring what is not."""
    until(lambda: len(venue.open_lines()) == 2, "two lines")
    collector.await_events(400)
    before = collector.records()[-1].position
    venue.order("drop", "--count", "5", "--stream", "btcusdt@depth*")
    collector.await_hole(before, "BTC/USDT", Channel.DEPTH)


def left_out(collector: Collector) -> set[int]:
    """Ids of book updates that are neither held nor in a gap; fails where a gap claims what is held."""
    held = collector.digest()
    spans = [key.split("|")[2:] for key in (event.key for event in held.events) if key.startswith("d|BTCUSDT|")]
    have = {number for first, last in spans for number in range(int(first), int(last) + 1)}
    bounds = [(gap.after_id, gap.before_id) for gap in held.gaps if (gap.symbol, gap.channel) == ("BTC/USDT", "depth")]
    disclosed = {number for after, before in bounds if after and before for number in range(after + 1, before)}
    assert not have & disclosed
    return set(range(min(have), max(have))) - have - disclosed


def test_repeated_frames_and_garbage_make_no_gap(venue: Venue, collector: Collector) -> None:
    collector.await_events(400)
    venue.order("duplicate", "--count", "20")
    venue.order("garbage", "--count", "5")
    until(lambda: collector.digest().unparsed == 2 * 5, "garbage of both lines journaled")
    until(lambda: _repeated(collector) >= 2 * 20, "repetitions journaled")
    assert accounted(venue, collector) == (set(), set())
    assert collector.digest().gaps == []


def test_frames_out_of_order_are_put_in_order(venue: Venue, collector: Collector) -> None:
    collector.await_events(400)
    venue.order("reorder", "--count", "200")
    collector.await_events(800)
    assert accounted(venue, collector) == (set(), set())
    assert collector.digest().gaps == []


@pytest.mark.parametrize(
    "fault", [("cut",), ("drop", "--count", "50"), ("garbage", "--count", "5"), ("shutdown-notice",)]
)
def test_what_befalls_one_line_costs_nothing(venue: Venue, collector: Collector, fault: tuple[str, ...]) -> None:
    until(lambda: len(venue.open_lines()) == 2, "two lines")
    collector.await_events(400)
    struck = venue.open_lines()[0]
    venue.order(*fault, "--line", str(struck))
    if fault[0] != "drop":
        until(lambda: struck not in venue.open_lines() and len(venue.open_lines()) == 2, "a line in its place")
    collector.await_events(800)
    assert accounted(venue, collector) == (set(), set())
    assert collector.digest().gaps == []


def test_a_line_that_stands_still_is_replaced(venue: Venue, collector: Collector) -> None:
    until(lambda: len(venue.open_lines()) == 2, "two lines")
    struck = venue.open_lines()[1]
    venue.order("stall", "--seconds", "60", "--line", str(struck))
    until(lambda: struck not in venue.open_lines() and len(venue.open_lines()) == 2, "a line in its place")
    assert accounted(venue, collector) == (set(), set())
    assert collector.digest().gaps == []
    assert 'himari_reconnects_total{why="stalled"} 1.0' in collector.metrics()


def test_lines_that_grow_old_are_replaced_before_they_go(
    tmp_path: Path, venue: Venue, redis_server: RedisServer
) -> None:
    collector = Collector(tmp_path, venue.port, redis_server.port, life_seconds=2)
    collector.start()
    try:
        until(lambda: len(venue.ledger()["lines"]) >= 8, "lines one after the other")
        assert accounted(venue, collector) == (set(), set())
        assert collector.digest().gaps == []
        assert 'why="closed"' not in collector.metrics()  # none was left to be cut
    finally:
        collector.kill()


def test_lines_that_were_cut_together_do_not_grow_old_together(
    tmp_path: Path, venue: Venue, redis_server: RedisServer
) -> None:
    collector = Collector(tmp_path, venue.port, redis_server.port, life_seconds=6)
    collector.start()
    try:
        until(lambda: len(venue.open_lines()) == 2, "two lines")
        cut_ns = time.time_ns()
        venue.order("cut")
        until(lambda: len(_opened_after(venue, cut_ns)) >= 4, "two that came back, and the successors of both")
        *_, first, second = _opened_after(venue, cut_ns)[:4]
        assert 1.5 < (second - first) / 1e9 < 4.5
    finally:
        collector.kill()


def _opened_after(venue: Venue, time_ns: int) -> list[int]:
    return sorted(line["opened_ns"] for line in venue.ledger()["lines"] if line["opened_ns"] > time_ns)


def test_a_second_life_keeps_to_the_connections_that_the_first_left(
    tmp_path: Path, venue: Venue, collector: Collector
) -> None:
    """The file is what a life leaves that has crashed 298 times before: its own two connections are the last of 300."""
    collector.await_events(100)
    until(lambda: len(venue.open_lines()) == 2, "two lines")
    collector.kill()
    file = collector.settings.journal.path / FILE
    left = msgspec.json.decode(file.read_bytes(), type=Saved)
    assert len(left.connection_ages_ns) == 2
    wait_ns = 6_000_000_000
    ages = [300_000_000_000 - wait_ns] * 298 + left.connection_ages_ns
    now_ns = time.time_ns()
    file.write_bytes(msgspec.json.encode(msgspec.structs.replace(left, at_ns=now_ns, connection_ages_ns=ages)))
    collector.start()
    until(lambda: _lines_up(collector) == (0, 2), "it collects without a line")
    until(lambda: len(venue.open_lines()) == 2, "two lines")
    assert min(_opened_after(venue, now_ns)) >= now_ns + wait_ns
    assert accounted(venue, collector) == (set(), set())


def test_a_start_within_the_limits_waits_for_nothing(venue: Venue, collector: Collector) -> None:
    collector.await_events(100)
    for _ in range(2):
        collector.kill()
        started_ns = time.time_ns()
        collector.start()
        until(lambda at=started_ns: len(_opened_after(venue, at)) == 2, "two lines")
        begun = [record.received_ns for record in collector.records() if record.kind == Kind.EPOCH]
        assert _opened_after(venue, started_ns)[0] - begun[-1] < 1_000_000_000


def test_it_is_ready_and_alive_without_a_buffer(tmp_path: Path, venue: Venue) -> None:
    collector = Collector(tmp_path, venue.port, buffer_port=1)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(str(tmp_path / "notify"))
        notified.settimeout(20)
        collector.start(NOTIFY_SOCKET=str(tmp_path / "notify"))
        said = b""
        while b"READY=1" not in said or b"WATCHDOG=1" not in said:
            said += notified.recv(4096)
        collector.await_events(400)
        assert collector.stop() == 0
    assert b"STATUS=" in said


def test_health_and_the_status_text_tell_which_lines_are_up(
    tmp_path: Path, venue: Venue, redis_server: RedisServer
) -> None:
    collector = Collector(tmp_path, venue.port, redis_server.port)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(str(tmp_path / "notify"))
        notified.settimeout(30)
        collector.start(NOTIFY_SOCKET=str(tmp_path / "notify"))
        try:
            until(lambda: _lines_up(collector) == (2, 2), "both lines are up")
            venue.stop()
            until(lambda: _lines_up(collector) == (0, 2), "no line is up")
            said = notified.recv(4096)
            while b"STATUS=no line" not in said or b"STATUS=2 of 2 lines" not in said:
                said += notified.recv(4096)
        finally:
            collector.kill()
            venue.start()


def test_the_status_text_tells_how_far_a_full_buffer_was_shortened(
    tmp_path: Path, venue: Venue, redis_server: RedisServer
) -> None:
    collector = Collector(tmp_path, venue.port, redis_server.port)
    with redis_server.admin() as admin, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        admin.set("other", b"x" * (8 << 20))
        admin.config_set("maxmemory", "8mb")
        notified.bind(str(tmp_path / "notify"))
        notified.settimeout(30)
        collector.start(NOTIFY_SOCKET=str(tmp_path / "notify"))
        try:
            until(lambda: b"streams cut to 12% of their window, waiting" in notified.recv(4096), "it tells")
            admin.delete("other")
            until(lambda: b" to push, " in notified.recv(4096), "it is full no longer")
        finally:
            collector.kill()


def _lines_up(collector: Collector) -> tuple[int | None, int | None]:
    journal = asyncio.run(health(collector.settings)).journal
    assert journal is not None
    return journal.lines_up, journal.lines


def test_metrics_count_what_was_journaled(venue: Venue, collector: Collector) -> None:
    collector.await_events(400)
    text = collector.metrics()
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(values['himari_frames_total{channel="book_ticker"}']) > 100
    assert float(values['himari_line_up{line="0"}']) == 1
    assert float(values["himari_weight_used"]) > 0
    assert "himari_clock_offset_seconds" in values


def test_a_job_that_dies_ends_the_process(venue: Venue, collector: Collector, redis_server: RedisServer) -> None:
    """A buffer that is ahead of the journal: the next start must be above it."""
    collector.await_events(100)
    with redis_server.admin() as admin:
        collector.stop()
        admin.xadd("md:binance:_:meta", {"z1": b""}, id="900-1")
    collector.start()
    assert collector.process is not None
    assert collector.process.wait(20) == 1
    collector.start()
    until(lambda: collector.digest().epochs[-1] == 901, "an epoch above the buffer's")


@pytest.mark.parametrize(
    ("line", "wrong", "says"),
    [
        ('name = "binance"', 'name = "bitfoo"', "expected one of binance"),
        ('"ETH/USDT"', '"ETHUSDT"', "expected BASE/QUOTE"),
        ("exchange.pem", "absent.pem", "venue.ca_file"),
    ],
)
def test_wrong_settings_end_with_one_line(tmp_path: Path, venue: Venue, line: str, wrong: str, says: str) -> None:
    collector = Collector(tmp_path, venue.port, buffer_port=1)
    collector.path.write_text(collector.path.read_text().replace(line, wrong))
    done = subprocess.run(
        [BIN / "himari-runtime", "collector", "--settings", collector.path], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert says in done.stderr
    assert not collector.settings.journal.path.exists()


def _resyncs(collector: Collector) -> int:
    return sum(record.kind == 5 for record in collector.records())


def _repeated(collector: Collector) -> int:
    """Frames that came more than once on the same line."""
    frames = Counter((record.line, record.payload) for record in collector.records() if record.kind == 0)
    return sum(count - 1 for (_, payload), count in frames.items() if payload.startswith(b'{"stream":"'))


def test_a_buffer_that_hangs_neither_stops_the_journal_nor_the_stop(
    venue: Venue, collector: Collector, redis_server: RedisServer
) -> None:
    collector.await_events(200)
    redis_server.signal(signal.SIGSTOP)
    collector.await_events(3000)
    assert collector.stop() == 0
    redis_server.signal(signal.SIGCONT)
