"""The evidence as one self-contained page: no scripts, nothing loaded from elsewhere; only the logs are links."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from himari.proof.difference import difference
from himari.proof.evidence import Check, DrillRecord, DrillWindow, Evidence, Status, repeated
from himari.proof.markup import template
from himari.proof.plots import Plot, plots
from himari.proof.timeline import Timeline, drill_timeline, run_timeline, window_timeline

ALONE = 3  # so many findings for one reason are still told one by one

TITLES = {
    "day01_host": "Hosts",
    "day02_redis": "Buffer",
    "day03_network": "Network",
    "day04_irq": "Interrupts and exporters",
    "day06_stores": "Stores",
    "day08_runtime": "Runtime",
    "ledger": "The data's account",
}


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The checks of one phase on one host."""

    host: str
    checks: list[Check]

    @property
    def passed(self) -> int:
        return sum(check.status is Status.PASSED for check in self.checks)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What did not hold on one host for one reason."""

    checks: list[Check]

    @property
    def first(self) -> Check:
        return self.checks[0]


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One phase."""

    name: str
    title: str
    groups: list[Group]


class Drilled(msgspec.Struct, frozen=True, kw_only=True):
    """The window that drills had together: its account, and its course as timeline and plots."""

    account: DrillWindow
    missed: bool  # by one of them
    timeline: Timeline | None
    plots: list[Plot]

    @property
    def title(self) -> str:
        names = self.account.drills
        return f"{names[0] if len(names) == 1 else f'{len(names)} drills together'}, seed {self.account.seed}"


def write_page(path: Path, evidence: Evidence, before: Evidence | None = None) -> None:
    """Write the page to `path`; `before` is the evidence of the run before."""
    path.write_text(render_page(evidence, before), encoding="utf-8")


def render_page(evidence: Evidence, before: Evidence | None = None) -> str:
    """The page's HTML; every value is escaped."""
    drills = sorted(evidence.drills, key=lambda drill: drill.status is not Status.FAILED)
    return template("evidence.html.j2", thousands="{:,}".format).render(
        evidence=evidence,
        sentence=sentence(evidence),
        failures=findings([check for check in evidence.failures if check.stops]),
        warnings=findings([check for check in evidence.failures if not check.stops]),
        failed=evidence.having(Status.FAILED),
        warned=sum(not check.stops for check in evidence.failures),
        uncovered=evidence.having(Status.NOT_COVERED),
        passed=evidence.having(Status.PASSED),
        sections=sections(evidence),
        date=_date(evidence.started),
        difference=difference(before, evidence) if before else None,
        before=_date(before.started) if before else "",
        run=run_timeline(evidence.steps),
        window=window_timeline(evidence.course),
        recoveries=drill_timeline(drills),
        drills=drills,
        runs=_runs(evidence.drills),
        windows=[_drilled(evidence, window) for window in evidence.windows],
        plots=plots(evidence.course),
    )


def _runs(drills: Sequence[DrillRecord]) -> str:
    """How many there are, in words."""
    names = len({drill.name for drill in drills})
    said = f"{names} drill{'' if names == 1 else 's'}"
    return said if names == len(drills) else f"{len(drills)} runs of {said}"


def _drilled(evidence: Evidence, window: DrillWindow) -> Drilled:
    drills = [drill for drill in evidence.drills if window.holds(drill)]
    return Drilled(
        account=window,
        missed=any(drill.status is Status.FAILED for drill in drills),
        timeline=window_timeline(window.course, drills),
        plots=plots(window.course),
    )


def _date(started: str) -> str:
    return datetime.fromisoformat(started).strftime("%-d %B %Y, %H:%M UTC")


def sentence(evidence: Evidence) -> str:
    """The verdict, as one says it aloud."""
    stopping = sum(check.stops for check in evidence.checks)
    if not evidence.checks:
        return "Nothing was proven: no check ran."
    if stopping:
        noun = "statement does" if stopping == 1 else "statements do"
        return f"{stopping} critical {noun} not hold."
    if evidence.missed:
        what = "runs of drills" if repeated(evidence.drills) else "drills"
        return f"{len(evidence.missed)} of {len(evidence.drills)} {what} missed what they promise."
    ledger = evidence.ledger
    if ledger is None:
        return "Every critical statement holds; no data was accounted for."
    missed = f", {ledger.events_in_gaps:,} inside disclosed gaps" if ledger.events_in_gaps else ""
    return f"Every critical statement holds, and all {ledger.sent:,} events are accounted for{missed}."


def findings(checks: Sequence[Check]) -> list[Finding]:
    """In the order of `checks`; what many have in common, as a host that does not answer, is said once."""
    together: dict[tuple[str, str], list[Check]] = {}
    for check in checks:
        together.setdefault((check.host, check.reason), []).append(check)
    return [
        Finding(checks=part)
        for same in together.values()
        for part in ([same] if len(same) > ALONE else [[check] for check in same])
    ]


def sections(evidence: Evidence) -> list[Section]:
    """What passed, by phase and host, in the order of the evidence; what did not stands elsewhere on the page."""
    return [
        Section(name=phase.name, title=TITLES.get(phase.name, phase.name), groups=_groups(evidence, phase.name))
        for phase in evidence.phases
    ]


def _groups(evidence: Evidence, phase: str) -> list[Group]:
    checks: Sequence[Check] = [check for check in evidence.checks if check.phase == phase]
    hosts = dict.fromkeys(check.host for check in checks)
    order = {Status.FAILED: 0, Status.PASSED: 1, Status.NOT_COVERED: 2}
    return [
        Group(host=host, checks=sorted((one for one in checks if one.host == host), key=lambda one: order[one.status]))
        for host in hosts
    ]
