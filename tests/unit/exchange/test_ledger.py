from hashlib import blake2b
from pathlib import Path

import msgspec

from himari_exchange.amounts import units
from himari_exchange.frames import Frame, trade_frame
from himari_exchange.ledger import Ledger, ledger_files
from himari_exchange.orders import Drop
from himari_exchange.statement import Statement, read_statement
from himari_exchange.tape import Trade

FOREVER_NS = 2**62
MAX_BYTES = 1_000_000


def ticker(number: int) -> Frame:
    return Frame("btcusdt@bookTicker", b'{"u":%d}' % number, f"b|BTCUSDT|{number}")


def everything(folder: Path) -> Statement:
    return read_statement(folder, 0, FOREVER_NS)


def test_says_what_was_sent_on_which_line_and_what_was_ordered(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, MAX_BYTES)
    line = ledger.open_line()
    ledger.order(Drop(count=3), [line])
    ledger.sent(line, [ticker(1), Frame("!serverShutdown", b"{}"), ticker(2)])
    ledger.close_line(line)
    said = everything(tmp_path)
    assert [event[0] for event in said.events] == ["b|BTCUSDT|1", "b|BTCUSDT|2"]
    digest_of_first = blake2b(b'{"u":1}', digest_size=8).hexdigest()
    assert (said.events[0][1], *said.events[0][3:]) == (digest_of_first, line, "ws")
    (span,) = said.lines
    assert span.closed_ns is not None
    assert span.opened_ns <= said.events[0][2] <= span.closed_ns
    assert said.orders == [
        {"name": "drop", "count": 3, "stream": "*", "line": None, "lines": [1], "at_ns": said.orders[0]["at_ns"]}
    ]


def test_a_trade_has_one_digest_whichever_way_it_went(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, MAX_BYTES)
    trade = Trade(12345, units("0.00100000"), units("100.00000000"), 1672515782136, buyer_is_maker=True)
    ledger.sent(1, [trade_frame("BNBBTC", trade, "0.00100000", "100.00000000", b"{}")])
    ledger.served("BNBBTC", [trade])
    socket, rest = everything(tmp_path).events
    assert (socket[0], socket[4]) == ("t|BNBBTC|12345", "ws")
    assert (rest[0], rest[4]) == ("t|BNBBTC|12345", "rest")
    content = b"0.00100000|100.00000000|1672515782136|1"
    assert socket[1] == rest[1] == blake2b(content, digest_size=8).hexdigest()


def test_a_torn_last_line_is_ignored_and_the_next_run_goes_on(tmp_path: Path) -> None:
    killed = Ledger(tmp_path, MAX_BYTES)
    line = killed.open_line()
    killed.sent(line, [ticker(1)])
    (file,) = ledger_files(tmp_path)
    with file.open("a") as torn:
        torn.write("1795254202706435380 1 ws b|BTCU")
    revived = Ledger(tmp_path, MAX_BYTES)
    assert revived.open_line() == line + 1
    revived.sent(line + 1, [ticker(2)])
    said = everything(tmp_path)
    assert [event[0] for event in said.events] == ["b|BTCUSDT|1", "b|BTCUSDT|2"]
    assert [span.closed_ns is None for span in said.lines] == [False, True]


def test_stays_within_its_size_and_drops_the_oldest(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, 65536)
    line = ledger.open_line()
    for number in range(5000):
        ledger.sent(line, [ticker(number)])
    said = everything(tmp_path)
    assert sum(file.stat().st_size for file in ledger_files(tmp_path)) <= 65536
    kept = [int(event[0].rpartition("|")[2]) for event in said.events]
    assert kept == list(range(5000 - len(kept), 5000))
    assert len(kept) > 500
    assert [(span.line, span.closed_ns) for span in said.lines] == [(line, None)]


def test_a_window_holds_what_was_sent_in_it_and_the_lines_that_were_open(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, MAX_BYTES)
    early, late = ledger.open_line(), ledger.open_line()
    for number in range(3):
        ledger.sent(late, [ticker(number)])
    ledger.close_line(early)
    middle = everything(tmp_path).events[1]
    said = read_statement(tmp_path, middle[2], middle[2])
    assert said.events == [middle]
    assert (said.first_ns, said.last_ns) == (middle[2], middle[2])
    assert [span.line for span in said.lines] == [early, late]


def test_an_empty_window_has_no_bounds(tmp_path: Path) -> None:
    Ledger(tmp_path, MAX_BYTES)
    said = msgspec.to_builtins(everything(tmp_path))
    assert said == {"first_ns": None, "last_ns": None, "lines": [], "events": [], "orders": []}


def test_a_line_that_ends_behind_the_window_is_open_in_it(tmp_path: Path) -> None:
    """What took its place may have been opened behind the window too, and is left out."""
    ledger = Ledger(tmp_path, MAX_BYTES)
    line = ledger.open_line()
    ledger.sent(line, [ticker(1)])
    ((*_, sent_ns, _, _),) = everything(tmp_path).events
    ledger.close_line(line)
    assert [span.closed_ns for span in read_statement(tmp_path, 0, sent_ns).lines] == [None]
    assert [span.closed_ns is None for span in everything(tmp_path).lines] == [False]
