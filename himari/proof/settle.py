"""Waiting until a stack that was just deployed carries data steadily: a restart's own gaps are no part of a proof."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event

from himari.proof.probe import Runner
from himari.proof.window import CLOCK, SECOND, Say, digest
from himari.stack.errors import HostError
from himari.stack.model import Role, Stack
from himari.stack.network import tunnel_address

STEADY_NS = 3 * SECOND
SLACK_NS = SECOND  # between two events of one symbol on a quiet market
PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.5


def settle(stack: Stack, run: Runner, say: Say, patience_seconds: float = PATIENCE_SECONDS) -> bool:
    """Wait until the edge's journal took events for 3 s on end without a gap, and each brain hears the edge and has
    stored something of late.

    A tunnel whose one end was restarted is silent until the other end gives its old session up, 15 s later.
    False when it does not come to that: the proof goes on all the same, and says what is wrong.
    Raises HostError when the edge does not answer."""
    edge, brains = stack.hosts_with(Role.EDGE)[0], stack.hosts_with(Role.BRAIN)
    address, stored_ns = tunnel_address(stack, edge), int(stack.retention.stored_age_most_s * SECOND)
    conditions: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("a steady flow", lambda: _is_steady(run, edge)),
        ("the tunnel", lambda: all(_hears(run, brain, address) for brain in brains)),
        ("the brain's store", lambda: all(_stores(run, brain, stored_ns) for brain in brains)),
    )
    await_ = partial(_await, say=say, deadline=time.monotonic() + patience_seconds, gone=Event())
    with ThreadPoolExecutor(len(conditions)) as pool:
        return all(pool.map(lambda condition: await_(*condition), conditions))


def _await(what: str, holds: Callable[[], bool], *, say: Say, deadline: float, gone: Event) -> bool:
    """`gone`: set where one of several waits is in vain, as all are then."""
    waited = False
    try:
        while not holds():
            if time.monotonic() > deadline:
                return False
            if not waited:
                say(f"ledger: waiting for {what}")
                waited = True
            if gone.wait(POLL_SECONDS):
                return False
    except HostError:
        gone.set()
        raise
    return True


def _hears(run: Runner, brain: str, address: str) -> bool:
    try:
        run(brain, ("ping", "-q", "-c", "1", "-W", "2", address))
    except HostError:
        return False
    return True


def _stores(run: Runner, brain: str, age_ns: int) -> bool:
    try:
        now = int(run(brain, CLOCK))
        return digest(run, brain, "parquet", now - age_ns, now).last_ns is not None
    except HostError:
        return False


def _is_steady(run: Runner, edge: str) -> bool:
    now = int(run(edge, CLOCK))
    heard = digest(run, edge, "journal", now - STEADY_NS, now)
    if heard.gaps or not heard.events or heard.first_ns is None:
        return False
    first = min(event.received_ns for event in heard.events)
    return first <= now - STEADY_NS + SLACK_NS
