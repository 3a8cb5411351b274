"""The verdict on drills: what was seen and when, and the ledger of the window that they shared. Pure."""

from collections.abc import Sequence

import msgspec

from himari.drills.drill import Drill, Gaps
from himari.proof.accounts import Fault, Gap
from himari.proof.evidence import DrillRecord, DrillWindow, Marks, Status
from himari.proof.ledger import LedgerResult

SECOND = 1e9


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """How one fault went. `over_ns` is when it had ended, `served_ns` when what was broken worked again; `trouble` why
    it could not be done."""

    drill: Drill
    marks: Marks
    over_ns: int | None = None
    served_ns: int | None = None
    spared: bool = False
    seen: str = ""
    trouble: str = ""

    @property
    def gaps(self) -> Gaps:
        """What it may cost."""
        return Gaps.NONE if self.spared else self.drill.gaps

    @property
    def recovery_seconds(self) -> float | None:
        """From the end of the fault until new data was on the brain."""
        if self.marks.lift is None or self.marks.restored is None:
            return None
        return round((self.marks.restored - self.marks.lift) / SECOND, 2)

    def fault(self, end_ns: int) -> Fault:
        """What the ledger is told of it; until `end_ns` where it never ended, or nothing worked again."""
        return Fault(
            self.drill.name,
            self.marks.fail or end_ns,
            self.over_ns or end_ns,
            served_ns=self.served_ns or end_ns,
        )


class Verdict(msgspec.Struct, frozen=True):
    """A record for each drill of one window, and the window's account; None when it could not be had."""

    records: list[DrillRecord]
    window: DrillWindow | None


def judge(
    attempts: Sequence[Attempt], result: LedgerResult | None, *, seed: int, started: str, commit: str, why: str = ""
) -> Verdict:
    """The verdict on `attempts`. `result` is the account of their window; None, and `why`, when it could not be had."""
    last = max((attempt.served_ns or 0 for attempt in attempts), default=0)
    charged = _charged(attempts, result.gaps if result else (), last)
    records = []
    for attempt in attempts:
        gaps = charged[attempt.drill.name]
        reasons = [*_missed(attempt), *_lost(attempt, gaps), *_ledger(result, why)]
        records.append(_record(attempt, gaps, "; ".join(reasons), seed=seed, started=started, commit=commit))
    names = [attempt.drill.name for attempt in attempts]
    return Verdict(records, _window(names, result, seed, started) if result else None)


def _window(names: list[str], result: LedgerResult, seed: int, started: str) -> DrillWindow:
    return DrillWindow(drills=names, seed=seed, started=started, ledger=result.ledger, course=result.course)


def _record(attempt: Attempt, gaps: list[Gap], reason: str, *, seed: int, started: str, commit: str) -> DrillRecord:
    drill = attempt.drill
    return DrillRecord(
        name=drill.name,
        says=drill.says,
        deadline=drill.deadline,
        within=drill.within,
        status=Status.FAILED if reason else Status.PASSED,
        recovery_seconds=attempt.recovery_seconds,
        seen=attempt.seen,
        marks=attempt.marks,
        seed=seed,
        gaps=len(gaps),
        started=started,
        commit=commit,
        reason=reason,
        not_covered=drill.not_covered,
    )


def _missed(attempt: Attempt) -> list[str]:
    """What the deadline, and what must be seen, have against it."""
    drill, took = attempt.drill, attempt.recovery_seconds
    if attempt.trouble:
        return [attempt.trouble]
    found = [] if attempt.seen else [f"nothing showed that {drill.sees}"]
    if took is None:
        return [*found, f"no new data reached the brain within {drill.within:.0f} s, nor some time later"]
    return [*found, f"it took {took:.1f} s, {drill.within:.0f} s are allowed"] if took > drill.within else found


def _lost(attempt: Attempt, gaps: Sequence[Gap]) -> list[str]:
    """Gaps of a drill that must cost nothing; whether others are tight is the ledger's own rule."""
    if attempt.gaps is Gaps.TIGHT or not gaps:
        return []
    first = gaps[0]
    return [f"{len(gaps)} gaps, none is allowed: {first.channel} {first.symbol} ({first.reason})"]


def _ledger(result: LedgerResult | None, why: str) -> list[str]:
    if result is None:
        return [f"the ledger was not compared: {why}"]
    return [f"{check.says}: {check.reason}" for check in result.checks if check.stops]


def _charged(attempts: Sequence[Attempt], gaps: Sequence[Gap], end_ns: int) -> dict[str, list[Gap]]:
    """Each gap once, for the drill that answers for it: one that may have gaps, else the last begun before its end."""
    charged: dict[str, list[Gap]] = {attempt.drill.name: [] for attempt in attempts}
    for gap in gaps:
        around = [attempt for attempt in attempts if _overlap(attempt.fault(end_ns), gap)]
        allowed = [attempt for attempt in around if attempt.gaps is Gaps.TIGHT]
        before = [attempt for attempt in attempts if (attempt.marks.fail or 0) <= (gap.before_ns or end_ns)]
        answers = (allowed or around or before or list(attempts))[-1]
        charged[answers.drill.name].append(gap)
    return charged


def _overlap(fault: Fault, gap: Gap) -> bool:
    start, end = gap.after_ns or 0, gap.before_ns or fault.end_ns
    return fault.touches(start, end)
