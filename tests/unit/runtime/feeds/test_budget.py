"""Weight and connections stay within what the venue allows."""

import asyncio

import pytest

from himari_runtime.feeds import budget as budget_module
from himari_runtime.feeds.budget import ConnectionBudget, WeightBudget
from himari_runtime.feeds.spent import Spent
from himari_runtime.venues.dialect import Priority


class Clock:
    """Time that the test moves."""

    def __init__(self) -> None:
        self.now = 600.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _at_every_turn_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget_module, "TURN_SECONDS", 0)


async def settle() -> None:
    """Every caller that may go has gone: each has looked several times."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.asyncio
async def test_weight_is_spent_by_the_minute() -> None:
    clock = Clock()
    budget = WeightBudget(100, clock)
    await budget.take(60, Priority.POLL)
    second = asyncio.create_task(budget.take(60, Priority.POLL))
    await settle()
    assert not second.done()
    clock.now += 60
    await asyncio.wait_for(second, 5)


@pytest.mark.asyncio
@pytest.mark.parametrize("offset", [-5.0, 5.0, -90.0, -86_400.0])
async def test_the_minute_is_the_venues(offset: float) -> None:
    """Its minute begins at 600 - `offset` of our clock."""
    clock = Clock()
    budget = WeightBudget(100, clock)
    budget.offset_seconds = offset
    clock.now = 600.0 - offset
    await budget.take(100, Priority.POLL)
    second = asyncio.create_task(budget.take(100, Priority.POLL))
    for clock.now in (615.0 - offset, 659.9 - offset):
        await settle()
        assert not second.done()
    clock.now = 660.0 - offset
    await asyncio.wait_for(second, 5)


@pytest.mark.asyncio
async def test_an_offset_that_is_measured_anew_gives_no_minute_twice() -> None:
    clock = Clock()
    budget = WeightBudget(100, clock)
    clock.now = 660.0
    await budget.take(100, Priority.POLL)
    second = asyncio.create_task(budget.take(100, Priority.POLL))
    for budget.offset_seconds in (-0.1, 0.1, -0.1, 0.0):
        await settle()
        assert not second.done()
    clock.now = 720.0
    await asyncio.wait_for(second, 5)


@pytest.mark.asyncio
async def test_an_offset_of_hours_closes_the_budget_for_a_minute_at_most() -> None:
    clock = Clock()
    budget = WeightBudget(100, clock)
    clock.now = 100_000.0
    await budget.take(100, Priority.POLL)
    second = asyncio.create_task(budget.take(100, Priority.POLL))
    budget.offset_seconds = -7200.0
    await settle()
    assert not second.done()
    clock.now += 60
    await asyncio.wait_for(second, 5)


@pytest.mark.asyncio
async def test_the_more_urgent_goes_first() -> None:
    clock = Clock()
    budget = WeightBudget(100, clock)
    await budget.take(100, Priority.POLL)
    order: list[str] = []

    async def call(name: str, priority: Priority) -> None:
        await budget.take(50, priority)
        order.append(name)

    calls = [
        asyncio.create_task(call(*each))
        for each in (("poll", Priority.POLL), ("backfill", Priority.BACKFILL), ("snapshot", Priority.SNAPSHOT))
    ]
    await settle()
    assert order == []
    clock.now += 60
    await asyncio.wait_for(asyncio.gather(*calls[1:]), 5)
    assert order == ["snapshot", "backfill"]
    clock.now += 60
    await asyncio.wait_for(calls[0], 5)


@pytest.mark.asyncio
async def test_what_others_used_at_our_address_counts() -> None:
    budget = WeightBudget(100, Clock())
    budget.observe(95)
    call = asyncio.create_task(budget.take(10, Priority.CLOCK))
    await settle()
    assert not call.done()
    call.cancel()


@pytest.mark.asyncio
async def test_a_refusal_holds_everybody() -> None:
    clock = Clock()
    budget = WeightBudget(100, clock, spent=Spent(clock=clock))
    budget.pause(7)
    call = asyncio.create_task(budget.take(1, Priority.CLOCK))
    await settle()
    assert not call.done()
    clock.now += 7
    await asyncio.wait_for(call, 5)


@pytest.mark.asyncio
async def test_one_who_gives_up_does_not_block_the_rest() -> None:
    clock = Clock()
    budget = WeightBudget(100, clock)
    await budget.take(100, Priority.POLL)
    first = asyncio.create_task(budget.take(10, Priority.CLOCK))
    second = asyncio.create_task(budget.take(10, Priority.POLL))
    await settle()
    first.cancel()
    clock.now += 60
    await asyncio.wait_for(second, 5)


@pytest.mark.asyncio
async def test_connections_are_spread_over_the_window() -> None:
    clock = Clock()
    budget = ConnectionBudget(3, 300, Spent(clock=clock))
    calls = [asyncio.create_task(budget.take()) for _ in range(7)]
    for now, begun in ((600.0, 3), (899.0, 3), (900.0, 6), (1199.0, 6), (1200.0, 7)):
        clock.now = now
        await settle()
        assert sum(call.done() for call in calls) == begun


@pytest.mark.asyncio
async def test_a_connection_that_is_given_up_takes_no_place() -> None:
    clock = Clock()
    budget = ConnectionBudget(1, 300, Spent(clock=clock))
    await budget.take()
    given_up, other = asyncio.create_task(budget.take()), asyncio.create_task(budget.take())
    await settle()
    given_up.cancel()
    clock.now += 300
    await asyncio.wait_for(other, 5)
