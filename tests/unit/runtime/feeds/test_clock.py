"""The venue's clock against ours, measured on a server of the test's own."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from aiohttp import web

from himari_runtime.feeds import clock
from himari_runtime.feeds.clock import VenueClock
from himari_runtime.feeds.rest import RestClient
from himari_runtime.venues.registry import dialect

Serve = Callable[..., AbstractAsyncContextManager[RestClient]]

AHEAD_NS = 7_000_000_000


class Venue:
    """Answers what it is given, one body a call; None is a clock seven seconds ahead."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[str] = asyncio.Queue()
        self.bodies: asyncio.Queue[str | None] = asyncio.Queue()

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.put_nowait(request.path)
        body = await self.bodies.get()
        return web.Response(text=body or f'{{"serverTime":{(time.time_ns() + AHEAD_NS) // 1_000_000}}}')

    async def say(self, body: str | None) -> None:
        """Returns when the clock has read `body`: it asks anew, and that call is not answered yet."""
        self.bodies.put_nowait(body)
        async with asyncio.timeout(10):
            assert await self.asked.get() == "/api/v3/time"


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "EVERY_SECONDS", 0.01)


@asynccontextmanager
async def running(serve: Serve, venue: Venue) -> AsyncIterator[VenueClock]:
    """A clock that has asked for the first time."""
    async with serve(venue.answer) as rest:
        venue_clock = VenueClock(rest, dialect("binance"))
        task = asyncio.create_task(venue_clock.run())
        await venue.asked.get()
        yield venue_clock
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.asyncio
async def test_the_offset_is_the_venues_time_at_the_middle_of_the_round_trip(serve: Serve) -> None:
    venue = Venue()
    async with running(serve, venue) as venue_clock:
        assert venue_clock.offset_ns is None
        await venue.say(None)
        assert venue_clock.offset_ns is not None
        assert venue_clock.round_trip_ns is not None
        assert venue_clock.round_trip_ns > 0
        assert abs(venue_clock.offset_ns - AHEAD_NS) <= venue_clock.round_trip_ns // 2 + 1_000_000


@pytest.mark.asyncio
async def test_weight_is_counted_by_the_venues_minutes(serve: Serve) -> None:
    venue = Venue()
    async with running(serve, venue) as venue_clock:
        await venue.say(None)
        budget = venue_clock._rest.budget
        assert abs(budget.offset_seconds - AHEAD_NS / 1e9) < 5
        await venue.say("garbage")
        assert abs(budget.offset_seconds - AHEAD_NS / 1e9) < 5


@pytest.mark.asyncio
@pytest.mark.parametrize("body", ["garbage", '{"other":1}'])
async def test_after_an_answer_without_a_time_nothing_is_known_until_the_next(serve: Serve, body: str) -> None:
    venue = Venue()
    async with running(serve, venue) as venue_clock:
        await venue.say(None)
        await venue.say(body)
        assert (venue_clock.offset_ns, venue_clock.round_trip_ns) == (None, None)
        await venue.say(None)
        assert venue_clock.offset_ns is not None
