import msgspec

from himari_runtime.messages import START, Channel, Gap, Kind, Position, Reason, Record, Route
from himari_runtime.transport.continuity import CONSUMER_LINE, Continuity, Seen
from himari_runtime.venues.own import route_own
from himari_runtime.venues.registry import dialect

TRADES, BOOK = "md:binance:BTC/USDT:trades", "md:binance:BTC/USDT:book"


class Reading:
    """Feeds records to a Continuity and keeps the gaps."""

    def __init__(self, cursor: Position = START, seen: Seen | None = None) -> None:
        self.continuity = Continuity("binance", dialect("binance").sequenced, cursor, seen or Seen())
        self.gaps: list[Gap] = []
        self.rows: list[Record] = []

    def restarted(self) -> "Reading":
        """What goes on from what was remembered."""
        memory = msgspec.json.decode(msgspec.json.encode(self.continuity.seen), type=Seen)
        return Reading(self.continuity.cursor, memory)

    def told(self, n: int, after_id: int, before_id: int) -> None:
        """The edge discloses a gap in trades."""
        gap = Gap(
            venue="binance",
            symbol="BTC/USDT",
            channel=Channel.TRADE,
            after_id=after_id,
            before_id=before_id,
            after_ns=1,
            before_ns=2,
            reason=Reason.SEQUENCE,
        )
        record = Record(1, n, Kind.GAP, 0, n * 1000, n, msgspec.json.encode(gap))
        assert self.continuity.gaps(record, route_own("binance", record), broken=False) == []
        self.continuity.note(record, route_own("binance", record))

    def event(self, n: int, channel: Channel, first: int, last: int | None = None, *, broken: bool = False) -> None:
        where = Route(TRADES if channel is Channel.TRADE else BOOK, "BTC/USDT", channel, first, last or first)
        record = Record(1, n, Kind.FRAME, 1, n * 1000, n, b"")
        rows = self.continuity.gaps(record, where, broken)
        self.rows += rows
        self.gaps += [msgspec.json.decode(row.payload, type=Gap) for row in rows]
        self.continuity.note(record, where)


def started() -> Reading:
    reading = Reading()
    reading.event(2, Channel.TRADE, 100)
    reading.event(3, Channel.DEPTH, 500, 510)
    reading.event(4, Channel.BOOK_TICKER, 511)
    return reading


def test_whole_streams_have_no_gap() -> None:
    reading = started()
    reading.event(5, Channel.TRADE, 250)  # the venue's own hole is the collector's to disclose
    assert reading.gaps == []


def test_a_hole_is_disclosed_for_each_channel_of_its_stream() -> None:
    reading = started()
    reading.event(9, Channel.DEPTH, 560, 570, broken=True)
    reading.event(10, Channel.TRADE, 107)
    reading.event(11, Channel.BOOK_TICKER, 580)
    reading.event(12, Channel.BOOK_TICKER, 585)
    assert [(g.channel, g.after_id, g.before_id, g.after_ns, g.before_ns, g.reason) for g in reading.gaps] == [
        ("depth", 510, 560, 3000, 9000, "overtaken"),
        ("book_ticker", 511, 580, 4000, 11000, "overtaken"),
    ]
    assert [(row.position, row.line) for row in reading.rows] == [((1, 9), CONSUMER_LINE), ((1, 11), CONSUMER_LINE)]


def test_a_hole_in_nobody_knows_which_stream_is_one_in_each() -> None:
    reading = started()
    reading.continuity.lose(Record(1, 9, Kind.FRAME, 1, 9000, 9, b""), (TRADES, BOOK))
    after = reading.restarted()
    after.event(9, Channel.DEPTH, 560, 570)
    after.event(10, Channel.TRADE, 101)
    after.event(11, Channel.BOOK_TICKER, 580)
    after.event(12, Channel.DEPTH, 571, 572)
    assert [(gap.channel, gap.after_id, gap.before_id) for gap in after.gaps] == [
        ("depth", 510, 560),
        ("book_ticker", 511, 580),
    ]


def test_dense_ids_over_a_hole_show_that_nothing_is_missing() -> None:
    reading = started()
    reading.event(9, Channel.DEPTH, 511, 520, broken=True)
    reading.event(10, Channel.TRADE, 101, broken=True)
    reading.event(11, Channel.BOOK_TICKER, 512)  # its ids are not dense: they prove nothing
    assert [gap.channel for gap in reading.gaps] == ["book_ticker"]


def test_a_hole_is_remembered_over_a_restart() -> None:
    before = started()
    before.event(9, Channel.DEPTH, 560, 570, broken=True)
    after = before.restarted()
    after.event(10, Channel.DEPTH, 571, 580)
    after.event(11, Channel.BOOK_TICKER, 590)
    assert [(gap.channel, gap.after_id) for gap in after.gaps] == [("book_ticker", 511)]


def test_a_first_start_behind_the_window_says_that_nothing_is_known_before() -> None:
    reading = Reading()
    reading.event(77, Channel.TRADE, 100, broken=True)
    reading.event(78, Channel.TRADE, 101)
    assert [(gap.after_id, gap.before_id) for gap in reading.gaps] == [(None, 100)]


def test_which_ids_are_dense_is_the_venues_to_say() -> None:
    """With ids that leave numbers out, what follows by its number may still have lost something before it."""
    mark = Reading()
    mark.event(2, Channel.TRADE, 100)
    for dense, gaps in ((True, 0), (False, 1)):
        following = Continuity(
            "other", {Channel.TRADE: dense}, START, msgspec.convert(msgspec.to_builtins(mark.continuity.seen), Seen)
        )
        where = Route(TRADES, "BTC/USDT", Channel.TRADE, 101, 101)
        assert len(following.gaps(Record(1, 9, Kind.FRAME, 1, 9, 9, b""), where, True)) == gaps


def bounds(reading: Reading) -> list[tuple[int | None, int | None, str]]:
    return [(gap.after_id, gap.before_id, gap.reason) for gap in reading.gaps]


def test_a_hole_on_which_the_edges_word_was_trimmed_is_disclosed_too() -> None:
    """The edge waits for another line when the reading ends, and all that it then says is gone."""
    before = started()
    before.event(5, Channel.TRADE, 103)
    before.event(6, Channel.TRADE, 104)
    after = before.restarted()
    after.event(90, Channel.TRADE, 250, broken=True)
    after.event(91, Channel.TRADE, 251, broken=True)
    assert bounds(after) == [(100, 103, "sequence"), (104, 250, "overtaken")]


def test_what_follows_by_its_number_says_nothing_of_an_older_hole() -> None:
    reading = started()
    reading.event(5, Channel.TRADE, 103)
    reading.event(90, Channel.TRADE, 104, broken=True)
    assert bounds(reading) == [(100, 103, "sequence")]


def test_a_hole_that_was_filled_or_told_is_not_told_again() -> None:
    for fill in (lambda reading: reading.event(7, Channel.TRADE, 101, 102), lambda reading: reading.told(7, 100, 103)):
        reading = started()
        reading.event(5, Channel.TRADE, 103)
        fill(reading)
        following = reading.restarted()
        following.event(90, Channel.TRADE, 250, broken=True)
        assert bounds(following) == [(103, 250, "overtaken")]
