"""What comes together is in the journal together before any of it is looked at."""

from himari_runtime.feeds.intake import Intake
from himari_runtime.messages import START, Channel, Kind, Record, Route
from himari_runtime.transport.journal import Journal
from himari_runtime.transport.reader import JournalReader
from himari_runtime.venues.registry import dialect
from tests.unit.runtime.venues.binance.test_route import TRADE

PAYLOADS = [TRADE, b"garbage", TRADE.replace(b"12345", b"12346")]


def journaled(journal: Journal) -> list[Record]:
    reader = JournalReader(journal.settings.path, START)
    found = reader.read()
    reader.close()
    return [record for record in found if record.kind == Kind.FRAME]


def test_all_are_journaled_before_one_is_routed(journal: Journal) -> None:
    seen: list[int] = []

    class Looking:
        """A dialect that counts what the journal holds whenever it is asked."""

        name = "binance"

        def route(self, record: Record) -> Route:
            seen.append(len(journaled(journal)))
            return dialect("binance").route(record)

    Intake(Looking(), journal).take_all(Kind.FRAME, PAYLOADS, 1)
    assert seen == [3, 3, 3]


def test_records_are_dense_and_counted(journal: Journal) -> None:
    intake = Intake(dialect("binance"), journal)
    taken = intake.take_all(Kind.FRAME, PAYLOADS, 1)
    assert [each.record for each in taken] == journaled(journal)
    assert [each.record.n for each in taken] == [2, 3, 4]
    assert intake.counts == {Channel.TRADE: 2, Channel.UNPARSED: 1}
    assert journal.marks["md:binance:BTC/USDT:trades|trade"].last_id == 12346
