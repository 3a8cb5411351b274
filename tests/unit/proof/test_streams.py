"""The ledger's figures by symbol and channel are parts of the whole."""

from himari.proof.streams import by_stream

SENT = [("t|BTCUSDT|1", "a"), ("t|BTCUSDT|2", "b"), ("b|BTCUSDT|7", "c"), ("d|ETHUSDT|1|4", "d")]


def test_each_symbol_and_channel_has_its_account() -> None:
    found = by_stream(SENT, journaled=SENT[:3], stored=SENT[:1], in_gaps=SENT[1:2], lost=SENT[2:])
    assert [(one.symbol, one.channel) for one in found] == [
        ("BTCUSDT", "book_ticker"),
        ("BTCUSDT", "trade"),
        ("ETHUSDT", "depth"),
    ]
    assert [(one.sent, one.journaled, one.stored, one.in_gaps, one.lost) for one in found] == [
        (1, 1, 0, 0, 1),
        (2, 2, 1, 1, 0),
        (1, 0, 0, 0, 1),
    ]


def test_nothing_sent_has_no_account() -> None:
    assert by_stream([], journaled=SENT, stored=[], in_gaps=[], lost=[]) == []
