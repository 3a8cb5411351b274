"""What a proof leaves behind: `evidence.json`, from which JUnit and the page are made."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

import msgspec

from himari.proof.course import Course, Span
from himari.proof.excerpts import Excerpt
from himari.proof.logs import Log
from himari.proof.source import Source
from himari.proof.streams import StreamAccount

UNIT_RUNS = ".active"  # how the id of a check ends that says that a unit runs


class Severity(StrEnum):
    """Only a critical check that failed turns the verdict red."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Status(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    NOT_COVERED = "not_covered"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One statement about one host, what was observed, and whether it held."""

    id: str
    phase: str  # the folder in validation/, or "ledger"
    host: str
    says: str
    severity: Severity
    observed: str
    status: Status
    reason: str = ""
    replaces: str = ""  # the step of the VPS-Brain guide's checklists that this check stands for
    component: str = ""  # whose it is; "" for a rule of the ledger
    logged: list[Excerpt] = []  # where it failed: what its units logged

    @property
    def stops(self) -> bool:
        """Whether this check alone turns the verdict red."""
        return self.status is Status.FAILED and self.severity is Severity.CRITICAL

    @property
    def is_of_a_unit(self) -> bool:
        """Whether it says that a unit runs: where it does not, much else cannot hold."""
        return self.id.endswith(UNIT_RUNS)


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """A phase's tally."""

    name: str
    passed: int
    failed: int
    not_covered: int


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """The data's account over one window, in events; `sent` is what the exchange says."""

    sent: int
    journaled: int
    stored: int
    lost: int
    invented: int
    duplicates: int
    gaps: int
    gaps_undisclosed: int
    events_in_gaps: int
    gap_seconds: float
    fault_seconds: float
    streams: list[StreamAccount] = []


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """When what happened in a drill, realtime nanoseconds; None: it did not come to that."""

    fail: int | None = None  # the fault was made
    detect: int | None = None  # the system showed it
    lift: int | None = None  # the fault ended
    restored: int | None = None  # a frame received after that is on the brain
    verified: int | None = None  # the ledger was compared


class DrillRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One drill that was run: whether it met its deadline, what was seen, and what it cost. Times in seconds."""

    name: str
    says: str
    deadline: str
    within: float
    status: Status
    recovery_seconds: float | None  # from the end of the fault until it was restored
    seen: str
    marks: Marks
    seed: int
    gaps: int
    started: str  # ISO 8601, UTC
    commit: str
    reason: str = ""
    not_covered: str = ""
    logged: list[Excerpt] = []  # meanwhile


class DrillWindow(msgspec.Struct, frozen=True, kw_only=True):
    """The account of the one window that `drills` had together, and its course."""

    drills: list[str]  # their names
    seed: int
    started: str  # as in their records
    ledger: Ledger
    course: Course | None = None

    def holds(self, drill: DrillRecord) -> bool:
        """Whether `drill` was run in it."""
        return drill.name in self.drills and (drill.seed, drill.started) == (self.seed, self.started)


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One proof of one stack, and the drills that were run on it since."""

    stack: str
    commit: str
    dirty: bool
    started: str  # ISO 8601, UTC
    seconds: float
    versions: dict[str, str]
    feed: Source
    phases: list[Phase]
    checks: list[Check]
    ledger: Ledger | None = None
    drills: list[DrillRecord] = []
    windows: list[DrillWindow] = []  # of the drills
    steps: list[Span] = []  # of the run, until it was proven
    course: Course | None = None  # of the ledger's window
    logs: list[Log] = []

    @property
    def green(self) -> bool:
        return bool(self.checks) and not any(check.stops for check in self.checks) and not self.missed

    @property
    def missed(self) -> list[DrillRecord]:
        return [drill for drill in self.drills if drill.status is Status.FAILED]

    def window_of(self, drill: DrillRecord) -> DrillWindow | None:
        """The account of the window in which `drill` was run; None when it could not be had."""
        return next((window for window in self.windows if window.holds(drill)), None)

    @property
    def failures(self) -> list[Check]:
        """All that failed: warnings last, and a unit that is down before what follows from it."""
        return sorted(self.having(Status.FAILED), key=lambda check: (not check.stops, not check.is_of_a_unit))

    def having(self, status: Status) -> list[Check]:
        return [check for check in self.checks if check.status is status]


def repeated(drills: Iterable[DrillRecord]) -> set[str]:
    """The names of those that were run more often than once: their seeds tell them apart."""
    return {name for name, runs in Counter(drill.name for drill in drills).items() if runs > 1}


def tally(checks: Iterable[Check]) -> list[Phase]:
    """The phases of `checks`, in the order in which they first appear."""
    by_phase: dict[str, list[Status]] = {}
    for check in checks:
        by_phase.setdefault(check.phase, []).append(check.status)
    return [
        Phase(
            name=name,
            passed=statuses.count(Status.PASSED),
            failed=statuses.count(Status.FAILED),
            not_covered=statuses.count(Status.NOT_COVERED),
        )
        for name, statuses in by_phase.items()
    ]


def write_evidence(path: Path, evidence: Evidence) -> None:
    """Replace `path` in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(evidence), indent=2) + b"\n")
    draft.replace(path)


def read_evidence(path: Path) -> Evidence:
    """Raises `msgspec.ValidationError` when the file is not evidence, `FileNotFoundError` when there is none."""
    return msgspec.json.decode(path.read_bytes(), type=Evidence)
