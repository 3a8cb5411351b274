"""Calls beside the event loop, in threads that nobody has to wait for: what a disk that hangs holds ends with us."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

Result = TypeVar("Result")


def aside(call: Callable[[], Result]) -> asyncio.Future[Result]:
    """What `call` returns or raises; it goes on when nobody waits any more."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Result] = loop.create_future()

    def settle(settled: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(lambda: None if done.done() else settled())

    def work() -> None:
        try:
            result = call()
        except Exception as error:
            failure = error  # its own name is gone when the loop gets there
            settle(lambda: done.set_exception(failure))
        else:
            settle(lambda: done.set_result(result))

    threading.Thread(target=work, name="aside", daemon=True).start()
    return done
