"""What is asked for, spread over lines by the venue's limits."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from himari_runtime.venues.binance.streams import NAMES_MOST, STREAMS_MOST, line_url, parse, shards, subscriptions


def symbols(count: int) -> tuple[str, ...]:
    return tuple(f"A{number}/USDT" for number in range(count))


def names(of: tuple[str, ...]) -> list[str]:
    """What a line asks for, request after request."""
    asked = [msgspec.json.decode(request) for request in subscriptions(of)]
    assert [request["method"] for request in asked] == ["SUBSCRIBE"] * len(asked)
    assert [request["id"] for request in asked] == list(range(1, len(asked) + 1))
    assert all(len(request["params"]) <= NAMES_MOST for request in asked)
    return [name for request in asked for name in request["params"]]


def test_each_symbol_has_its_three_streams() -> None:
    assert line_url("wss://stream.binance.com:9443/") == "wss://stream.binance.com:9443/stream"
    asked = names(("BTC/USDT",))
    assert asked == ["btcusdt@trade", "btcusdt@depth@100ms", "btcusdt@bookTicker"]
    assert all(parse(name) for name in asked)


@given(st.integers(1, 1500))
def test_no_line_carries_more_than_the_venue_allows_and_no_symbol_is_left_out(count: int) -> None:
    spread = shards(symbols(count))
    assert [symbol for shard in spread for symbol in shard] == list(symbols(count))
    asked = [len(names(shard)) for shard in spread]
    assert max(asked) <= STREAMS_MOST
    assert len(spread) == -(-3 * count // (STREAMS_MOST // 3 * 3))
    assert max(asked) - min(asked) <= 3 * len(spread)
