from hashlib import blake2b
from pathlib import Path

import msgspec
import pytest

from himari_runtime.messages import Gap, Kind, Reason, Record
from himari_runtime.services.digest import Digest, Event, Window, journaled, summarize
from himari_runtime.transport.journal import Journal
from himari_runtime.venues import registry
from tests.unit.runtime.made import journal_settings

TRADE = '{"e":"trade","E":9,"s":"BTCUSDT","t":7,"p":"61837.63000000","q":"0.02000000","T":8,"m":true,"M":true}'
DEPTH = '{"e":"depthUpdate","E":9,"s":"BTCUSDT","U":100,"u":104,"b":[["1.0","2.0"]],"a":[]}'
TICKER = '{"u":104,"s":"BTCUSDT","b":"1.0","B":"2.0","a":"1.1","A":"3.0"}'
OLD_TRADES = (
    '[{"id":7,"price":"61837.63000000","qty":"0.02000000","quoteQty":"1","time":8,"isBuyerMaker":true,'
    '"isBestMatch":true}]'
)


def frame(stream: str, data: str) -> bytes:
    return f'{{"stream":"{stream}","data":{data}}}'.encode()


def sha(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()


def record(n: int, payload: bytes, kind: Kind = Kind.FRAME, line: int = 1) -> Record:
    return Record(1, n, kind, line, n * 100, n, payload)


def summary(records: list[Record], window: Window) -> Digest:
    empty = Digest(source="edge", where="journal")
    return summarize(empty, records, window, registry.dialect("binance"))


def test_keys_and_digests() -> None:
    rest = f'{{"endpoint":"historicalTrades","symbol":"BTC/USDT","weight":25,"body":{OLD_TRADES}}}'.encode()
    found = summary(
        [
            record(1, frame("btcusdt@trade", TRADE)),
            record(2, frame("btcusdt@depth@100ms", DEPTH)),
            record(3, frame("btcusdt@bookTicker", TICKER)),
            record(4, rest, Kind.REST),
        ],
        Window(0, 1000),
    )
    trade = sha("61837.63000000|0.02000000|8|1")
    assert found.events == [
        Event("t|BTCUSDT|7", trade, 100, "ws"),
        Event("d|BTCUSDT|100|104", sha(DEPTH), 200, "ws"),
        Event("b|BTCUSDT|104", sha(TICKER), 300, "ws"),
        Event("t|BTCUSDT|7", trade, 400, "rest"),
    ]
    assert (found.first_ns, found.last_ns, found.records, found.epochs) == (100, 400, 4, [1])


def test_garbage_is_counted_and_repetition_too() -> None:
    found = summary([record(1, b"garbage"), record(2, frame("btcusdt@depth", "{}")), record(2, b"{}")], Window(0, 999))
    assert (found.events, found.unparsed, found.duplicates, found.records) == ([], 3, 1, 3)


def test_gaps_are_listed_and_the_consumers_have_no_number() -> None:
    gap = Gap(
        venue="binance",
        symbol="BTC/USDT",
        channel="trade",
        after_id=None,
        before_id=7,
        after_ns=None,
        before_ns=100,
        reason=Reason.OVERTAKEN,
    )
    payload = msgspec.json.encode(gap)
    found = summary([record(1, payload, Kind.GAP, -1), record(1, frame("btcusdt@trade", TRADE))], Window(0, 999))
    assert (found.gaps, found.duplicates, found.records) == ([gap], 0, 1)


def test_an_empty_window() -> None:
    found = summary([record(1, frame("btcusdt@trade", TRADE))], Window(101, 200))
    assert (found.first_ns, found.last_ns, found.records, found.events) == (None, None, 0, [])


@pytest.mark.parametrize("window", [Window(0, 10**15), Window(500 * 10**9, 700 * 10**9), Window(990 * 10**9, 10**15)])
def test_a_window_of_the_journal_is_whole(tmp_path: Path, window: Window) -> None:
    settings = journal_settings(tmp_path, segment_bytes=2000)
    journal = Journal.open(settings, "edge", registry.router("binance"))
    payload = frame("btcusdt@trade", TRADE)
    for second in range(1000):
        journal.append(Kind.FRAME, payload, line=1, received_ns=second * 10**9, monotonic_ns=journal._opened_ns)
    journal.close()
    found = [r.received_ns // 10**9 for r in journaled(tmp_path, window) if r.received_ns in window and r.n > 1]
    assert found == [second for second in range(1000) if second * 10**9 in window]
