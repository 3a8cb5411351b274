"""The REST client on a server of the test's own."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from aiohttp import web

from himari_runtime.feeds import rest
from himari_runtime.feeds.budget import TURN_SECONDS
from himari_runtime.feeds.rest import RestClient, RestError
from himari_runtime.feeds.spent import FILE, Spent
from himari_runtime.venues.registry import dialect

Serve = Callable[..., AbstractAsyncContextManager[RestClient]]


async def until(condition: Callable[[], bool]) -> None:
    """Returns when it holds."""
    while True:
        if condition():
            return
        await asyncio.sleep(0.01)


@pytest.mark.asyncio
async def test_an_answer_larger_than_a_record_may_be_is_refused(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "ANSWER_BYTES_MOST", 100)
    bodies = iter([b"x" * 101, b"x" * 100])

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=next(bodies))

    async with serve(answer) as client:
        with pytest.raises(RestError, match="more than 100 bytes"):
            await client.get(dialect("binance").calls.server_time())
        assert (await client.get(dialect("binance").calls.server_time())).body == b"x" * 100


@pytest.mark.asyncio
@pytest.mark.parametrize("status", [418, 429])
async def test_a_client_that_comes_after_makes_no_call_until_the_venue_lets_it(
    serve: Serve, tmp_path: Path, status: int
) -> None:
    asked = asyncio.Event()

    async def refuse(request: web.Request) -> web.Response:
        asked.set()
        return web.Response(status=status, headers={"Retry-After": "100"})

    first = Spent(tmp_path / FILE)
    async with serve(refuse, first) as client:
        call = asyncio.create_task(client.get(dialect("binance").calls.server_time()))
        await asyncio.wait_for(until(lambda: first.is_closed), 5)
        call.cancel()
    asked.clear()
    later = [0.0]
    second = Spent(tmp_path / FILE, clock=lambda: later[0])
    assert 90 < second.closed_until <= 100
    async with serve(refuse, second) as client:
        call = asyncio.create_task(client.get(dialect("binance").calls.server_time()))
        for later[0] in (0.0, 90.0):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asked.wait(), 4 * TURN_SECONDS)
        later[0] = 100.0
        await asyncio.wait_for(asked.wait(), 5)
        call.cancel()


@pytest.mark.asyncio
@pytest.mark.parametrize("after", ["", "soon", "-5", "\u00b2", "9" * 400, "9" * 5000])
async def test_a_venue_that_says_no_time_is_left_alone_for_a_minute(serve: Serve, after: str) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": after, "X-MBX-USED-WEIGHT-1M": after})

    spent = Spent(clock=lambda: 0.0)
    async with serve(refuse, spent) as client:
        call = asyncio.create_task(client.get(dialect("binance").calls.server_time()))
        await asyncio.wait_for(until(lambda: spent.is_closed or call.done()), 5)
        assert not call.done()
        assert spent.closed_until == rest.RETRY_AFTER_SECONDS
        call.cancel()


@pytest.mark.asyncio
async def test_a_refusal_counts_whatever_its_body_is(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "ANSWER_BYTES_MOST", 100)

    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=418, headers={"Retry-After": "100"}, body=b"x" * 101)

    spent = Spent(clock=lambda: 0.0)
    async with serve(refuse, spent) as client:
        with pytest.raises(RestError, match="more than 100 bytes"):
            await client.get(dialect("binance").calls.server_time())
    assert spent.closed_until == 100
