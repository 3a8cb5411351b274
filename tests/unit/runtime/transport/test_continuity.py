import msgspec

from himari_runtime.messages import START, Channel, Epoch, Gap, Kind, Position, Record, Route, meta_stream
from himari_runtime.transport.continuity import CONSUMER_LINE, Continuity, Seen

META = Route(meta_stream("binance"), "_", Channel.EPOCH)
TRADES, BOOK = "md:binance:BTC/USDT:trades", "md:binance:BTC/USDT:book"


class Reading:
    """Feeds records to a Continuity and keeps the gaps."""

    def __init__(self, cursor: Position = START, seen: Seen | None = None) -> None:
        self.memory = seen or Seen()
        self.continuity = Continuity("binance", cursor, self.memory)
        self.gaps: list[Gap] = []
        self.rows: list[Record] = []

    def event(self, epoch: int, n: int, channel: Channel, number: int, last: int | None = None) -> None:
        stream = TRADES if channel is Channel.TRADE else BOOK
        record = Record(epoch, n, Kind.FRAME, 1, n * 1000, n, b"")
        self.take(record, Route(stream, "BTC/USDT", channel, number, last or number))

    def epoch(self, epoch: int, previous: Position) -> None:
        began = Epoch(epoch=epoch, previous_epoch=previous.epoch, previous_n=previous.n)
        self.take(Record(epoch, 1, Kind.EPOCH, 0, 1, 1, msgspec.json.encode(began)), META)

    def take(self, record: Record, where: Route) -> None:
        rows = self.continuity.gaps(record, where)
        self.rows += rows
        self.gaps += [msgspec.json.decode(row.payload, type=Gap) for row in rows]
        self.continuity.note(record, where)


def started() -> Reading:
    reading = Reading()
    reading.epoch(1, START)
    reading.event(1, 2, Channel.TRADE, 100)
    reading.event(1, 3, Channel.DEPTH, 500, 510)
    reading.event(1, 4, Channel.BOOK_TICKER, 511)
    return reading


def test_dense_records_have_no_gap() -> None:
    reading = started()
    reading.event(1, 5, Channel.TRADE, 250)  # the venue's own hole is the collector's to disclose
    reading.epoch(2, Position(1, 5))
    reading.event(2, 2, Channel.TRADE, 900)
    assert reading.gaps == []


def test_a_hole_is_disclosed_per_channel_with_the_venues_bounds() -> None:
    reading = started()
    reading.event(1, 9, Channel.DEPTH, 560, 570)
    reading.event(1, 10, Channel.TRADE, 107)
    reading.event(1, 11, Channel.TRADE, 108)
    assert [(g.channel, g.after_id, g.before_id, g.after_ns, g.before_ns, g.reason) for g in reading.gaps] == [
        ("depth", 510, 560, 3000, 9000, "overtaken"),
        ("trade", 100, 107, 2000, 10000, "overtaken"),
    ]
    assert [(row.position, row.line) for row in reading.rows] == [((1, 9), CONSUMER_LINE), ((1, 10), CONSUMER_LINE)]


def test_dense_ids_over_a_hole_show_that_nothing_is_missing() -> None:
    reading = started()
    reading.event(1, 9, Channel.DEPTH, 511, 520)
    reading.event(1, 10, Channel.TRADE, 101)
    reading.event(1, 11, Channel.BOOK_TICKER, 512)  # its ids are not dense: they prove nothing
    assert [gap.channel for gap in reading.gaps] == ["book_ticker"]


def test_a_missing_epoch_is_a_hole() -> None:
    reading = started()
    reading.epoch(3, Position(2, 40))
    reading.event(3, 2, Channel.TRADE, 200)
    assert [(gap.after_id, gap.before_id) for gap in reading.gaps] == [(100, 200)]


def test_records_that_the_edge_lost_after_we_had_them_are_none() -> None:
    reading = started()
    reading.epoch(2, Position(1, 2))  # a power cut took 3 and 4 from the journal, not from us
    reading.event(2, 2, Channel.TRADE, 200)
    assert reading.gaps == []


def test_a_hole_is_remembered_over_a_restart() -> None:
    before = started()
    before.event(1, 9, Channel.DEPTH, 560, 570)
    memory = msgspec.json.decode(msgspec.json.encode(before.memory), type=Seen)
    after = Reading(Position(1, 9), memory)
    after.event(1, 10, Channel.DEPTH, 571, 580)
    after.event(1, 11, Channel.TRADE, 107)
    assert [(gap.channel, gap.after_id) for gap in after.gaps] == [("trade", 100)]


def test_a_first_start_behind_the_window_says_that_nothing_is_known_before() -> None:
    reading = Reading()
    reading.event(4, 77, Channel.TRADE, 100)
    reading.event(4, 78, Channel.TRADE, 101)
    assert [(gap.after_id, gap.before_id) for gap in reading.gaps] == [(None, 100)]
