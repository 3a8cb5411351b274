"""The evidence as one self-contained page: no scripts, nothing loaded from elsewhere."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined

from himari.proof.evidence import Check, Evidence, Status

TITLES = {
    "day01_host": "Hosts",
    "day02_redis": "Buffer",
    "day03_network": "Network",
    "day04_irq": "Interrupts and exporters",
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


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One phase."""

    name: str
    title: str
    groups: list[Group]


def write_page(path: Path, evidence: Evidence) -> None:
    """Write the page to `path`."""
    path.write_text(render_page(evidence), encoding="utf-8")


def render_page(evidence: Evidence) -> str:
    """The page's HTML; every value is escaped."""
    environment = Environment(
        loader=PackageLoader("himari.proof", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["thousands"] = lambda number: f"{number:,}"
    return environment.get_template("evidence.html.j2").render(
        evidence=evidence,
        sentence=sentence(evidence),
        failures=[check for check in evidence.failures if check.stops],
        warnings=[check for check in evidence.failures if not check.stops],
        uncovered=evidence.having(Status.NOT_COVERED),
        passed=evidence.having(Status.PASSED),
        sections=sections(evidence),
        date=datetime.fromisoformat(evidence.started).strftime("%-d %B %Y, %H:%M UTC"),
    )


def sentence(evidence: Evidence) -> str:
    """The verdict, as one says it aloud."""
    stopping = sum(check.stops for check in evidence.checks)
    if not evidence.checks:
        return "Nothing was proven: no check ran."
    if stopping:
        noun = "statement does" if stopping == 1 else "statements do"
        return f"{stopping} critical {noun} not hold."
    if evidence.missed:
        return f"{len(evidence.missed)} of {len(evidence.drills)} drills missed what they promise."
    ledger = evidence.ledger
    if ledger is None:
        return "Every critical statement holds; no data was accounted for."
    missed = f", {ledger.events_in_gaps:,} inside disclosed gaps" if ledger.events_in_gaps else ""
    return f"Every critical statement holds, and all {ledger.sent:,} events are accounted for{missed}."


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
