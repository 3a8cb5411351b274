"""The REST client on a server of the test's own."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from aiohttp import web

from himari_runtime.feeds import rest
from himari_runtime.feeds.rest import RestClient, RestError
from himari_runtime.venues.registry import dialect

Serve = Callable[..., AbstractAsyncContextManager[RestClient]]


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
