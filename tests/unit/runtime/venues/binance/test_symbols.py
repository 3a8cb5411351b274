"""Symbols go there and back."""

import pytest

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
