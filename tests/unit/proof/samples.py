"""Accounts, drills and evidence that tests begin from."""

from typing import Any

import msgspec

from himari.proof.evidence import Check, DrillRecord, DrillWindow, Evidence, Ledger, Marks, Status, tally
from himari.proof.source import Market

STARTED = "2026-01-02T03:04:05+00:00"


def accounted(sent: int, *, in_gaps: int = 0, **changed: Any) -> Ledger:
    """Nothing is lost of what was sent; `in_gaps` events, if any, lie in one disclosed gap."""
    whole = Ledger(
        sent=sent,
        journaled=sent,
        stored=sent - in_gaps,
        lost=0,
        invented=0,
        duplicates=0,
        gaps=1 if in_gaps else 0,
        gaps_undisclosed=0,
        events_in_gaps=in_gaps,
        gap_seconds=1.5 if in_gaps else 0.0,
        fault_seconds=1.0 if in_gaps else 0.0,
    )
    return msgspec.structs.replace(whole, **changed)


def drilled(**changed: Any) -> DrillRecord:
    """A line that was cut and came back in half a second."""
    whole = DrillRecord(
        name="line-cut",
        says="One line is cut",
        deadline="within 5 seconds",
        within=5.0,
        status=Status.PASSED,
        recovery_seconds=0.47,
        seen="given to line 4",
        marks=Marks(fail=1, restored=2),
        seed=7,
        gaps=0,
        started=STARTED,
        commit="abc",
    )
    return msgspec.structs.replace(whole, **changed)


def windowed(*drills: DrillRecord, **changed: Any) -> DrillWindow:
    """The account of the window that `drills` shared."""
    first = drills[0]
    names = [drill.name for drill in drills]
    whole = DrillWindow(drills=names, seed=first.seed, started=first.started, ledger=accounted(5000, in_gaps=8))
    return msgspec.structs.replace(whole, **changed)


def proven(*checks: Check, **changed: Any) -> Evidence:
    """The evidence of `checks`, without an account of data."""
    whole = Evidence(
        stack="lab-edge",
        commit="abc",
        dirty=False,
        started=STARTED,
        seconds=10.0,
        versions={},
        feed=Market(seed=7, symbols=("BTC/USDT",), frames_per_s=100.0),
        phases=tally(checks),
        checks=list(checks),
    )
    return msgspec.structs.replace(whole, **changed)
