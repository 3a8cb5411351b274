"""Waiting until a stack that was just deployed carries data steadily: a restart's own gaps are no part of a proof."""

import time
from collections.abc import Callable

from himari.proof.probe import Runner
from himari.proof.window import CLOCK, SECOND, digest
from himari.stack.model import Role, Stack

STEADY_NS = 3 * SECOND
SLACK_NS = SECOND  # between two events of one symbol on a quiet market
PATIENCE_SECONDS = 45.0
POLL_SECONDS = 0.5


def settle(stack: Stack, run: Runner, say: Callable[[str], None], patience_seconds: float = PATIENCE_SECONDS) -> bool:
    """Wait until the edge's journal took events for 3 s on end without a gap; False when it does not come to that.

    The proof goes on all the same then, and says what is wrong. Raises HostError when the edge does not answer."""
    edge = stack.hosts_with(Role.EDGE)[0]
    deadline = time.monotonic() + patience_seconds
    waited = False
    while not _is_steady(run, edge):
        if time.monotonic() > deadline:
            return False
        if not waited:
            say("ledger: waiting for a steady flow")
            waited = True
        time.sleep(POLL_SECONDS)
    return True


def _is_steady(run: Runner, edge: str) -> bool:
    now = int(run(edge, CLOCK))
    heard = digest(run, edge, "journal", now - STEADY_NS, now)
    if heard.gaps or not heard.events or heard.first_ns is None:
        return False
    first = min(event.received_ns for event in heard.events)
    return first <= now - STEADY_NS + SLACK_NS
