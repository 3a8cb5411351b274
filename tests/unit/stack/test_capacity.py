"""What does not fit is refused, with what would fit."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from himari.stack.capacity import check_capacity, holdings, memory_refusals, refusals, symbol_days
from himari.stack.errors import CapacityError
from himari.stack.load import load_stack
from himari.stack.model import Retention, Stack
from himari.stack.sizes import STREAM_SHARE, edge_sizes


def changed(*, rate: float = 1.0, host: str = "edge", sizes: dict[str, int] | None = None, **retention: Any) -> Stack:
    stack = load_stack("vps-brain")
    venue = stack.venues["binance"]
    grown = msgspec.structs.replace(venue, bytes_per_s=venue.bytes_per_s * rate, frames_per_s=venue.frames_per_s * rate)
    hosts = stack.hosts | {host: msgspec.structs.replace(stack.hosts[host], **(sizes or {}))}
    return msgspec.structs.replace(
        stack,
        venues={"binance": grown},
        hosts=hosts,
        retention=msgspec.structs.replace(stack.retention, **retention),
    )


def refused_keys(stack: Stack) -> list[str]:
    return [refusal.where for refusal in refusals(stack)]


@pytest.mark.parametrize("name", ["lab-edge", "vps-brain"])
def test_shipped_stacks_fit(name: str) -> None:
    assert refusals(load_stack(name)) == ()


@pytest.mark.parametrize(
    ("stack", "key"),
    [
        (changed(rate=50), "network.link_bytes_per_s"),
        (changed(rate=11), "network.link_bytes_per_s"),
        (changed(stream_minutes=1.5), "retention.stream_minutes"),
        (changed(stream_minutes=600), "hosts.edge.memory_mb"),
        (changed(journal_hours=72), "hosts.edge.disk_gb"),
        (changed(parquet_days=365), "hosts.brain.disk_gb"),
        (changed(sizes={"disk_gb": 20}), "hosts.edge.disk_gb"),
    ],
    ids=["link", "catch-up", "window", "memory", "journal", "parquet", "small disk"],
)
def test_what_does_not_fit_is_refused_with_its_key(stack: Stack, key: str) -> None:
    assert key in refused_keys(stack)
    with pytest.raises(CapacityError) as caught:
        check_capacity(stack)
    assert caught.value.exit_code == 3
    assert caught.value.expected
    assert caught.value.hint


def test_the_days_that_are_offered_fit() -> None:
    (refusal,) = refusals(changed(parquet_days=365))
    days = int(refusal.hint.split()[1])
    assert refusals(changed(parquet_days=days)) == ()
    assert refusals(changed(parquet_days=days + 2)) != ()


@pytest.mark.parametrize(("segment_seconds", "offered"), [(20, "0.67"), (60, "2")])
def test_the_window_that_is_offered_fits_and_can_be_typed(segment_seconds: int, offered: str) -> None:
    (refusal,) = refusals(changed(stream_minutes=0.1, segment_seconds=segment_seconds))
    assert refusal.expected.endswith(f" {offered} minutes")
    assert refusals(changed(stream_minutes=float(offered), segment_seconds=segment_seconds)) == ()


@given(st.floats(min_value=2, max_value=3000), st.integers(min_value=512, max_value=65536))
def test_streams_that_are_not_refused_stay_below_their_share(minutes: float, memory_mb: int) -> None:
    stack = changed(stream_minutes=minutes, sizes={"memory_mb": memory_mb, "disk_gb": 10**6})
    sizes = edge_sizes(stack, stack.hosts["edge"])
    fits = sizes.stream_bytes <= STREAM_SHARE * memory_mb * 2**20 / 2
    assert (not refused_keys(stack)) == fits


def test_a_host_whose_sizes_are_not_known_is_not_judged() -> None:
    stack = changed(stream_minutes=600, journal_hours=1000)
    unknown = msgspec.structs.replace(stack.hosts["edge"], memory_mb=None, disk_gb=None)
    assert refused_keys(msgspec.structs.replace(stack, hosts=stack.hosts | {"edge": unknown})) == []


def test_components_need_their_floor_of_memory() -> None:
    stack = load_stack("vps-brain")
    assert memory_refusals(stack, {"edge": 2432}) == ()
    (refusal,) = memory_refusals(stack, {"edge": 4000})
    assert refusal.where == "hosts.edge.memory_mb"


def test_each_stop_says_how_long_it_holds() -> None:
    stack = load_stack("vps-brain")
    held = {one.stop: one for one in holdings(stack)}
    assert held["journal"].hours == stack.retention.journal_hours
    assert held["stream"].hours == stack.retention.stream_minutes / 60
    days = held["parquet"].days_until_full
    assert days is not None
    assert days > stack.retention.parquet_days


def test_a_days_gigabytes_are_told_a_symbol() -> None:
    (day,) = symbol_days(load_stack("vps-brain"))
    assert day.symbols == 4
    assert day.raw == pytest.approx(300_000 * 86_400 / 4 / 1e9)
    assert day.parquet < day.link < day.raw < day.journal


def test_defaults_hold_a_window_of_more_than_two_segments() -> None:
    default = Retention()
    assert default.stream_minutes * 60 >= 2 * default.segment_seconds
