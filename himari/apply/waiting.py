"""Waiting for a process without stopping the other hosts of a pyinfra run."""

from collections.abc import Callable
from typing import TypeVar

import gevent  # type: ignore[import-untyped]  # ships no types
from gevent import monkey

_T = TypeVar("_T")


def offload(act: Callable[..., _T], *arguments: object) -> _T:
    """The result of `act`, which blocks: in a thread, unless pyinfra's command made the whole process cooperative."""
    if monkey.is_module_patched("subprocess"):
        return act(*arguments)
    result: _T = gevent.get_hub().threadpool.apply(act, arguments)
    return result
