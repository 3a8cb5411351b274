"""When every symbol has its snapshot."""

from benchmarks.symbols import begun


def test_a_book_that_begins_again_is_not_counted_twice() -> None:
    shown = {
        "himari_resyncs_total": 12.0,
        'himari_feed_gaps_total{channel="depth",reason="sequence"}': 2.0,
        'himari_feed_gaps_total{channel="trade",reason="sequence"}': 5.0,
    }
    assert begun(shown) == 10


def test_a_collector_that_does_not_answer_has_none() -> None:
    assert begun({}) == 0
