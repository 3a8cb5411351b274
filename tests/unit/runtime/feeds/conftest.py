"""A journal in a temporary folder, and a venue's REST interface as a server of the test's own."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from himari_runtime.feeds.budget import WeightBudget
from himari_runtime.feeds.rest import RestClient
from himari_runtime.feeds.spent import Spent
from himari_runtime.transport.journal import Journal
from himari_runtime.venues.registry import dialect
from tests.unit.runtime.made import journal_settings

Handler = Callable[[web.Request], Awaitable[web.Response]]
Serve = Callable[..., AbstractAsyncContextManager[RestClient]]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    settings = journal_settings(tmp_path)
    found = Journal.open(settings, "edge", dialect("binance").route)
    yield found
    found.close()


@pytest.fixture
def serve() -> Serve:
    """Serves every path with a handler; gives a client of it, which knows what was spent."""

    @asynccontextmanager
    async def serving(handler: Handler, spent: Spent | None = None) -> AsyncIterator[RestClient]:
        app = web.Application()
        app.router.add_get("/{path:.*}", handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1)  # a call may still wait for its answer
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with RestClient(url, None, WeightBudget(6000, spent=spent), dialect("binance")) as rest:
            yield rest
        await runner.cleanup()

    return serving
