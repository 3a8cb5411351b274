"""Sizes follow from rates; larger rates never ask for less."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from himari.stack.load import load_stack
from himari.stack.model import Retention, Stack, Venue
from himari.stack.sizes import (
    Rates,
    catch_up_bytes_per_s,
    catch_up_factor,
    edge_sizes,
    linger_ms,
    stack_rates,
    usable_disk,
    venue_rates,
)

rate = st.floats(min_value=1, max_value=1e7)
venues = st.builds(Venue, symbols=st.just(("BTC/USDT",)), frames_per_s=rate, bytes_per_s=rate)


def with_venue(venue: Venue, **retention: Any) -> Stack:
    return msgspec.structs.replace(load_stack("vps-brain"), venues={"binance": venue}, retention=Retention(**retention))


@given(venues, st.floats(min_value=1, max_value=10))
def test_a_larger_rate_asks_for_no_less_anywhere(venue: Venue, factor: float) -> None:
    grown = msgspec.structs.replace(
        venue, frames_per_s=venue.frames_per_s * factor, bytes_per_s=venue.bytes_per_s * factor
    )
    small, large = venue_rates(venue, 40), venue_rates(grown, 40)
    assert all(getattr(small, name) <= getattr(large, name) for name in Rates.__struct_fields__)


@given(venues)
def test_parquet_takes_less_than_what_came_in_and_the_journal_more(venue: Venue) -> None:
    rates = venue_rates(venue, 40)
    assert rates.parquet < rates.raw < rates.journal


def test_many_symbols_at_8_mb_a_second_take_a_third_of_it_on_the_link() -> None:
    venue = Venue(symbols=tuple(f"C{n}/USDT" for n in range(100)), frames_per_s=32_000, bytes_per_s=8e6)
    assert 0.2 < venue_rates(venue, 40).link / venue.bytes_per_s < 0.35


@given(venues, st.floats(min_value=5, max_value=20))
def test_bundling_for_longer_asks_for_no_more(venue: Venue, linger: float) -> None:
    short, long = venue_rates(venue, linger), venue_rates(venue, 2 * linger)
    assert (long.link, long.stream) <= (short.link, short.stream)


@given(venues, st.floats(min_value=2, max_value=600), st.integers(min_value=1, max_value=300))
def test_the_window_holds_its_minutes_and_a_segment_its_seconds(venue: Venue, minutes: float, seconds: int) -> None:
    stack = with_venue(venue, stream_minutes=minutes, segment_seconds=seconds)
    sizes, rates = edge_sizes(stack, stack.hosts["edge"]), stack_rates(stack)
    assert sizes.window_records >= rates.records * minutes * 60
    assert sizes.segment_bytes >= rates.journal * seconds
    assert sizes.aof_bytes > 2 * sizes.stream_bytes


@pytest.mark.parametrize(("round_trip", "linger"), [(0.2, 5), (60.0, 15), (150.0, 38), (300.0, 40)])
def test_data_is_bundled_for_a_part_of_the_round_trip(round_trip: float, linger: float) -> None:
    stack = load_stack("vps-brain")
    network = msgspec.structs.replace(stack.network, round_trip_ms=round_trip)
    assert linger_ms(msgspec.structs.replace(stack, network=network)) == linger


def test_redis_gets_half_of_the_memory() -> None:
    stack = load_stack("vps-brain")
    assert edge_sizes(stack, stack.hosts["edge"]).maxmemory_bytes == 2 * 1024**3


def test_the_alarms_share_and_the_system_are_not_for_data() -> None:
    stack = load_stack("vps-brain")
    assert usable_disk(stack, stack.hosts["edge"]) == 60 * 10**9


def with_link(venue: Venue, bytes_per_s: float) -> Stack:
    stack = with_venue(venue)
    return msgspec.structs.replace(stack, network=msgspec.structs.replace(stack.network, link_bytes_per_s=bytes_per_s))


@given(venues, st.floats(min_value=10_000, max_value=1e8))
def test_catching_up_leaves_the_link_to_twice_the_live_rate_and_never_stands_still(venue: Venue, link: float) -> None:
    stack = with_link(venue, link)
    live, taken = stack_rates(stack).link, catch_up_bytes_per_s(stack)
    assert 0 < taken <= link
    assert taken + 2 * live <= link + 1 or taken <= link / 10 + 1


@given(venues, st.floats(min_value=10_000, max_value=1e8))
def test_more_live_data_leaves_no_more_for_catching_up(venue: Venue, link: float) -> None:
    doubled = msgspec.structs.replace(venue, frames_per_s=2 * venue.frames_per_s, bytes_per_s=2 * venue.bytes_per_s)
    assert catch_up_bytes_per_s(with_link(doubled, link)) <= catch_up_bytes_per_s(with_link(venue, link))


@pytest.mark.parametrize("name", ["lab-edge", "vps-brain"])
def test_a_shipped_stack_catches_up_a_day_within_two_hours(name: str) -> None:
    assert catch_up_factor(load_stack(name)) > 12
