"""What did not hold, and the faults and gaps of the window, each with the lines of the logs that tell of it."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from himari.proof.course import Course, Span
from himari.proof.evidence import Check, Evidence, Status
from himari.proof.excerpts import Excerpt, HostLog, of_period, of_units
from himari.proof.journal import Period
from himari.proof.ledger import PHASE
from himari.proof.logs import collect
from himari.proof.placement import Placed, units_of
from himari.proof.probe import Runner

LOOK_BACK_NS = 3600 * 10**9  # as far as checks look for errors: what failed may have ended before the run


def with_logs(evidence: Evidence, run: Runner, placed: Sequence[Placed], beside: Path) -> Evidence:
    """`evidence` with what the units of `placed` logged since its first step, and before that where something failed.

    The logs are written below the folder `beside`, in place of those that were there."""
    since_ns = min(step.start_ns for step in evidence.steps)
    period = Period(since_ns=since_ns - LOOK_BACK_NS if evidence.failures else since_ns)
    logs = collect(run, units_of(placed), period, beside)
    return msgspec.structs.replace(linked(evidence, logs.hosts, placed, period), logs=logs.files)


def linked(evidence: Evidence, logs: Sequence[HostLog], placed: Sequence[Placed], period: Period) -> Evidence:
    """`evidence` with the lines of `logs`, which hold `period`; what has none is as it was."""
    checks = [_check(check, evidence.course, logs, placed, period) for check in evidence.checks]
    return msgspec.structs.replace(evidence, checks=checks, course=evidence.course and along(evidence.course, logs))


def along(course: Course, logs: Sequence[HostLog]) -> Course:
    """`course` with the lines of its faults and gaps."""
    return msgspec.structs.replace(course, faults=_all(course.faults, logs), gaps=_all(course.gaps, logs))


def _all(spans: Sequence[Span], logs: Sequence[HostLog]) -> list[Span]:
    return [msgspec.structs.replace(span, logged=of_period(logs, span.start_ns, span.end_ns)) for span in spans]


def _check(
    check: Check, course: Course | None, logs: Sequence[HostLog], placed: Sequence[Placed], period: Period
) -> Check:
    """A rule of the ledger has the lines of its window, another check those of its component's units."""
    if check.status is not Status.FAILED:
        return check
    if check.phase == PHASE:
        return msgspec.structs.replace(check, logged=of_period(logs, course.start_ns, course.end_ns) if course else [])
    return msgspec.structs.replace(check, logged=_of_unit(check, logs, placed, period))


def _of_unit(check: Check, logs: Sequence[HostLog], placed: Sequence[Placed], period: Period) -> list[Excerpt]:
    """Of the one unit that the check's name names, else of all that its component has."""
    mine = [one.component.units for one in placed if (one.host, one.component.name) == (check.host, check.component)]
    names = [unit.name for units in mine for unit in units]
    named = [name for name in names if f".{name}." in check.id]
    until_ns = period.until_ns or max((log.entries[-1].at_ns for log in logs), default=0)
    return of_units(logs, check.host, named or names, period.since_ns, until_ns)
