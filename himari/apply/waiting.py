"""Waiting for a process without stopping the other hosts of a pyinfra run."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import gevent  # type: ignore[import-untyped]  # ships no types
from gevent import monkey
from gevent.hub import Hub  # type: ignore[import-untyped]  # likewise

_T = TypeVar("_T")
STOPPING = "stopping once it has ended its step; Ctrl-C again stops at once, and it ends the step alone"

# Ctrl-C that arrives while gevent runs is passed on to whoever waits; it is no crash whose traceback is of use.
Hub.NOT_ERROR = (*Hub.NOT_ERROR, KeyboardInterrupt)


def offload(act: Callable[..., _T], *arguments: object) -> _T:
    """The result of `act`, which blocks: in a thread, unless pyinfra's command made the whole process cooperative."""
    if monkey.is_module_patched("subprocess"):
        return act(*arguments)
    done: Future[_T] = gevent.get_hub().threadpool.apply(settled, (act, *arguments))
    return done.result()


def settled(act: Callable[..., _T], *arguments: object) -> Future[_T]:
    """What came of `act`, an error included.

    gevent prints the traceback of whatever leaves its threads and greenlets; an error in our own terms is no crash."""
    done: Future[_T] = Future()
    try:
        done.set_result(act(*arguments))
    except Exception as error:
        done.set_exception(error)
    return done
