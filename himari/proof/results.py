"""From pytest's reports to checks."""

from typing import ClassVar

import pytest

from himari.proof.checks import Case, Observed, Statement, statement_of
from himari.proof.evidence import Check, Severity, Status
from himari.proof.subject import Subject
from himari.stack.errors import HimariError

REASON_LENGTH = 400


class Results:
    """Collects one check for each test that ran."""

    OBSERVED: ClassVar[pytest.StashKey[Observed]] = pytest.StashKey[Observed]()

    def __init__(self) -> None:
        self.checks: list[Check] = []

    def note(
        self, item: pytest.Item, case: Case, call: pytest.CallInfo[None], report: pytest.TestReport, *, subject: Subject
    ) -> None:
        """Add the check of a finished test and set how pytest itself shows it."""
        if report.when == "teardown" or (report.when == "setup" and report.passed):
            return
        statement = statement_of(getattr(item, "function", None))
        if statement is None:
            return
        noted = item.stash.get(self.OBSERVED, None)
        check = judge(statement, case, report, reason=why(call), observed=noted.text if noted else "", subject=subject)
        self.checks.append(check)
        item.user_properties += [("check", check.id), ("host", check.host), ("observed", check.observed)]
        show(check, report)
        if call.excinfo is not None and isinstance(call.excinfo.value, HimariError) and report.failed:
            report.longrepr = f"{check.host}: {check.reason}"


def judge(
    statement: Statement, case: Case, report: pytest.TestReport, *, reason: str, observed: str, subject: Subject
) -> Check:
    """A check is green only if it ran and held; it is `not_covered` only where the host's reviewed list names it."""
    check_id = case.fill(statement.id)
    listed = subject.not_covered(case, check_id, statement)
    status = Status.PASSED if report.passed else Status.FAILED
    if report.skipped:
        reason = f"did not run: {reason}"
    if listed:
        status, reason = Status.NOT_COVERED, listed
    return Check(
        id=check_id,
        phase=case.phase,
        host=case.host,
        says=case.fill(statement.says),
        severity=statement.severity,
        observed=observed,
        status=status,
        reason=reason,
        replaces=statement.replaces or getattr(case.item, "replaces", ""),
        component=case.component.name,
    )


def why(call: pytest.CallInfo[None]) -> str:
    """The sentence that says what went wrong, "" when nothing did."""
    if call.excinfo is None:
        return ""
    error = call.excinfo.value
    said = next(iter(str(error).splitlines()), "")
    if isinstance(error, AssertionError) and said.startswith("assert "):
        return f"it does not hold that {said.removeprefix('assert ')}"[:REASON_LENGTH]
    if isinstance(error, AssertionError | HimariError | pytest.skip.Exception | pytest.fail.Exception):
        return said[:REASON_LENGTH]
    return f"the check itself broke: {type(error).__name__}: {said}"[:REASON_LENGTH]


def show(check: Check, report: pytest.TestReport) -> None:
    """Make pytest's own summary say the same: skipped with its reason, a warning as an expected failure."""
    if check.status is Status.NOT_COVERED:
        report.outcome = "skipped"
        report.longrepr = (report.nodeid, 0, f"not covered: {check.reason}")
    elif check.status is Status.FAILED and check.severity is not Severity.CRITICAL:
        report.outcome = "skipped"
        report.wasxfail = check.reason
    elif report.skipped:
        report.outcome = "failed"
        report.longrepr = check.reason
