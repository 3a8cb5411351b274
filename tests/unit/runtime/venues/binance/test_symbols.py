"""Symbols go there and back."""

import pytest

from himari_runtime.venues.binance.streams import line_url, names, parse
from himari_runtime.venues.binance.symbols import to_unified, to_venue


@pytest.mark.parametrize(
    ("unified", "venue"),
    [("BTC/USDT", "BTCUSDT"), ("ETH/BTC", "ETHBTC"), ("1000SATS/USDT", "1000SATSUSDT"), ("BTC/FDUSD", "BTCFDUSD")],
)
def test_there_and_back(unified: str, venue: str) -> None:
    assert to_venue(unified) == venue
    assert to_unified(venue) == unified


@pytest.mark.parametrize("wrong", ["BTCUSDT", "btc/usdt", "BTC/", "/USDT", "BTC/NOPE", "BTC-USDT", ""])
def test_what_is_no_symbol_is_named(wrong: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        to_venue(wrong)


@pytest.mark.parametrize("unknown", ["", "USDT", "NOPE", "btcusdt", "BTC/USDT"])
def test_no_pair_is_made_up(unknown: str) -> None:
    assert to_unified(unknown) is None


def test_the_address_subscribes() -> None:
    assert line_url("wss://stream.binance.com:9443/", ("BTC/USDT",)) == (
        "wss://stream.binance.com:9443/stream?streams=btcusdt@trade/btcusdt@depth@100ms/btcusdt@bookTicker"
    )
    assert all(parse(name) for name in names(("BTC/USDT", "ETH/BTC")))


def test_a_line_carries_no_more_than_the_venue_allows() -> None:
    with pytest.raises(ValueError, match="341"):
        names(tuple(f"A{number}/USDT" for number in range(342)))
