"""The whole proof of a stack: checks on every host and one window of the ledger, side by side, into evidence."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from himari.catalog.component import Feed
from himari.proof import plugin
from himari.proof.baseline import BASELINE, read_baseline, write_baseline
from himari.proof.course import Span
from himari.proof.difference import keep_previous, read_previous
from himari.proof.evidence import Check, Evidence, Severity, Status, tally, write_evidence
from himari.proof.junit import write_junit
from himari.proof.ledger import PHASE, TAKEN, LedgerResult
from himari.proof.links import with_logs
from himari.proof.page import write_page
from himari.proof.provenance import checkout, versions
from himari.proof.remote import Remote
from himari.proof.results import Results
from himari.proof.settle import settle
from himari.proof.source import source_of
from himari.proof.subject import Contents, Subject
from himari.proof.window import prove_data
from himari.ssh.visitor import Visitor
from himari.stack.errors import HimariError, ProofFailed
from himari.stack.known import read_known
from himari.stack.model import Role, Stack
from himari.stack.paths import PROJECT, VALIDATION, StateDir

MINIMUM_EVENTS = 1000
FIRST_FILE_SECONDS = 3  # from a record to a file that was due


def validate(
    stack: Stack,
    state: StateDir,
    *,
    outside: Sequence[str] | None,
    seconds: float,
    feed: Feed | None = None,
    contents: Contents | None = None,
    report: Callable[[str], None] = lambda _: None,
    minimum_events: int = MINIMUM_EVENTS,
    steps: Sequence[Span] = (),
) -> Evidence:
    """Prove `stack` and write `evidence.json`, `.xml` and `.html` into `state`.

    `outside` is the argv that runs a command at a place that is no host of the stack (None: this machine, whose ssh
    is welcome); `seconds` is the ledger's window; `contents` is what files shall hold, by host and path (sha256),
    `steps` what the run did before. The evidence that was there is kept as that of the run before.
    What is red is in the evidence: see `verdict`. Hosts that cannot be reached fail their checks."""
    started, began = datetime.now(UTC), time.monotonic()
    known = read_known(state.hosts)
    remote = Remote(stack, known, state.ssh / "config")
    baseline = read_baseline(state.path / BASELINE)
    visitor = Visitor(known, state)
    subject = Subject(
        stack, known, remote, outside=outside, feed=feed, contents=contents, baseline=baseline, visitor=visitor
    )

    def account_for() -> LedgerResult:
        return prove_data(stack, remote, seconds, minimum_events, live=subject.feed.live, say=report)

    _settle(stack, remote, report)
    with closing(visitor):
        checks, result = _side_by_side(subject, state.path / "validate.log", account_for, report)
    taken = round(time.monotonic() - began, 1)
    evidence = _evidence(subject, checks, result, started.isoformat(timespec="seconds"), taken)
    evidence = msgspec.structs.replace(evidence, steps=[*steps, *_steps(evidence, started)])
    evidence = with_logs(evidence, remote, subject.placements, state.path)
    keep_previous(state.evidence)
    write_all(state, evidence)
    if evidence.green:
        write_baseline(state.path / BASELINE, baseline)
    return evidence


def _settle(stack: Stack, remote: Remote, report: Callable[[str], None]) -> None:
    try:
        settle(stack, remote, report)
    except HimariError:  # the checks and the ledger say of each host that it does not answer
        return


def _side_by_side(
    subject: Subject, log: Path, account_for: Callable[[], LedgerResult], report: Callable[[str], None]
) -> tuple[list[Check], LedgerResult | None]:
    """The checks on every host while the ledger's window is open; all of both, and the account if it could be had."""
    with ThreadPoolExecutor(1) as pool:
        window = pool.submit(account_for)
        # A consumer that has just started has stored nothing yet; the window is open for longer than that.
        wait((window,), timeout=subject.stack.retention.parquet_flush_seconds + FIRST_FILE_SECONDS)
        report("checks: reading every host")
        checks = run_checks(subject, log)
        report(f"checks: {sum(check.status is Status.PASSED for check in checks)} of {len(checks)} passed")
        try:
            result = window.result()
        except HimariError as error:
            return [*checks, account_is_missing(subject, str(error))], None
    return [*checks, *result.checks], result


def _steps(evidence: Evidence, started: datetime) -> list[Span]:
    start_ns = int(started.timestamp() * 1e9)
    return [Span(row="proof", start_ns=start_ns, end_ns=start_ns + int(evidence.seconds * 1e9), bad=not evidence.green)]


def _evidence(
    subject: Subject, checks: list[Check], result: LedgerResult | None, started: str, seconds: float
) -> Evidence:
    commit, dirty = checkout()
    return Evidence(
        stack=subject.stack.name,
        commit=commit,
        dirty=dirty,
        started=started,
        seconds=seconds,
        versions=versions(subject.answers),
        feed=source_of(subject.stack, subject.feed),
        phases=tally(checks),
        checks=checks,
        ledger=result.ledger if result else None,
        course=result.course if result else None,
    )


def write_all(state: StateDir, evidence: Evidence) -> None:
    """Write the evidence in all three forms; the page tells what is other than in the run before."""
    write_evidence(state.evidence, evidence)
    write_junit(state.evidence.with_suffix(".xml"), evidence)
    write_page(state.evidence.with_suffix(".html"), evidence, read_previous(state.evidence))


def verdict(evidence: Evidence) -> None:
    """Raises ProofFailed when a critical check failed; warnings alone do not."""
    stopping = [check for check in evidence.failures if check.stops]
    if stopping:
        named = "; ".join(f"{check.host}: {check.id}: {check.reason}" for check in stopping[:5])
        more = f"; and {len(stopping) - 5} more" if len(stopping) > 5 else ""
        raise ProofFailed(
            f"{len(stopping)} critical checks failed: {named}{more}",
            evidence.stack,
            "none",
            f"himari validate {evidence.stack} repeats the proof; evidence.html shows what was observed",
        )


class Given:
    """Hands the subject to the plugin in place of what HIMARI_STACK names."""

    def __init__(self, subject: Subject, results: Results) -> None:
        self._subject, self._results = subject, results

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[plugin.SUBJECT] = self._subject
        config.stash[plugin.RESULTS] = self._results


def run_checks(subject: Subject, log: Path, *folders: Path) -> list[Check]:
    """Run `folders`, or all, under pytest, whose own words go to `log`.

    Raises ProofFailed when the checks cannot be run."""
    results = Results()
    options = ["--disable-plugin-autoload", "-p", "no:cacheprovider", "-o", "addopts=", "--import-mode=importlib"]
    argv = [
        *map(str, folders or (VALIDATION,)),
        *options,
        "-q",
        "-s",
        "--strict-markers",
        "--rootdir",
        str(PROJECT),
        "-c",
        str(_configuration()),
    ]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as sink, redirect_stdout(sink), redirect_stderr(sink):
        code = pytest.main(argv, plugins=[Given(subject, results)])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise ProofFailed(f"the checks could not be run: {log.read_text()[-500:].strip()}", str(log))
    return results.checks


def _configuration() -> Path:
    """An empty pytest configuration: the project's own is for its tests."""
    return Path(__file__).parent / "pytest.ini"


def account_is_missing(subject: Subject, why: str) -> Check:
    """The check in place of an account that could not be had; not covered where our consumer is off by a rollback."""
    in_charge = next(filter(None, map(subject.rolled_back, subject.stack.hosts_with(Role.BRAIN))), "")
    return Check(
        id=TAKEN,
        phase=PHASE,
        host="stack",
        says="the accounts of exchange, edge and brain can be had",
        severity=Severity.CRITICAL,
        observed="",
        status=Status.NOT_COVERED if in_charge else Status.FAILED,
        reason=in_charge or why,
    )
