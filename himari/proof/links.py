"""What did not hold, and the faults and gaps of the window, each with the lines of the logs that tell of it. Pure."""

from collections.abc import Sequence

import msgspec

from himari.proof.course import Course, Span
from himari.proof.evidence import Check, Evidence, Status
from himari.proof.excerpts import Excerpt, HostLog, of_period, of_units
from himari.proof.journal import Period
from himari.proof.ledger import PHASE
from himari.proof.placement import Placed


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
