"""What frames say besides their place."""

import pytest

from himari_runtime.venues.binance.notices import event_ns, is_shutdown


def test_the_time_of_an_event() -> None:
    assert event_ns(b'{"stream":"btcusdt@trade","data":{"e":"trade","E":1672515782136}}') == 1672515782136000000
    assert event_ns(b'{"stream":"btcusdt@bookTicker","data":{"u":1}}') is None
    assert event_ns(b"garbage") is None


@pytest.mark.parametrize(
    ("payload", "announced"),
    [
        (b'{"e":"serverShutdown","E":1770123456789}', True),
        (b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}', True),
        (b'{"e":"trade","E":1}', False),
        (b'{"stream":"x","data":{"p":"serverShutdown', False),
        (b"null", False),
        (b"\xff", False),
    ],
)
def test_a_shutdown_is_recognised(payload: bytes, announced: bool) -> None:
    assert is_shutdown(payload) is announced
