"""What did not hold, a gap, a fault: each has the lines of its unit, in its time, and only where there are some."""

import re
from pathlib import Path

import msgspec

from himari.catalog.component import Feed
from himari.proof.course import Course, Span
from himari.proof.evidence import Check, Evidence, Severity, Status
from himari.proof.excerpts import Excerpt
from himari.proof.links import with_logs
from himari.proof.page import render_page
from himari.proof.placement import placements
from himari.stack.load import load_stack
from tests.unit.proof.journals import START, Journal, said
from tests.unit.proof.samples import proven

SECOND = 1_000_000_000
LINK = re.compile(r'href="(logs/[^"]+)"')
COLLECTOR, REDIS = "himari-collector.service", "redis-server.service"
JOURNAL = Journal(
    said(COLLECTOR, "starts"),
    said(REDIS, "ready", at=1),
    said(COLLECTOR, "line 2 is gone", at=10, priority=4),
    said(COLLECTOR, "line 2 is up", at=12),
    said(REDIS, "saved", at=50),
    silent=["exchange", "brain"],
)
GAP = Span(row="gap", start_ns=START + 10 * SECOND, end_ns=START + 12 * SECOND)
COURSE = Course(
    start_ns=START + 5 * SECOND,
    end_ns=START + 20 * SECOND,
    step_ns=SECOND,
    lines=[],
    faults=[msgspec.structs.replace(GAP, row="line cut", end_ns=GAP.start_ns)],
    gaps=[GAP, Span(row="quiet", start_ns=START + 30 * SECOND, end_ns=START + 31 * SECOND)],
    rates=[],
    delays=[],
)


def check(
    name: str, component: str, status: Status = Status.FAILED, *, host: str = "edge", phase: str = "day"
) -> Check:
    return Check(
        id=name,
        phase=phase,
        host=host,
        says=f"says {name}",
        severity=Severity.CRITICAL,
        observed="",
        status=status,
        reason="no",
        component=component,
    )


PLACED = placements(load_stack("lab-edge"), {}, Feed())


def with_lines(beside: Path, *checks: Check, begun: float = 0.0) -> Evidence:
    steps = [Span(row="proof", start_ns=START + int(begun * SECOND), end_ns=START + 60 * SECOND)]
    return with_logs(proven(*checks, course=COURSE, steps=steps), JOURNAL, PLACED, beside)


def spots(found: list[Excerpt]) -> list[tuple[str, str, int, int, int]]:
    return [(one.host, one.unit, one.first, one.last, one.lines) for one in found]


def test_a_failed_check_has_the_lines_of_its_unit(tmp_path: Path) -> None:
    whole = with_lines(
        tmp_path,
        check("collector.quiet", "collector"),
        check("redis.memory", "redis_buffer"),
        check(f"collector.{COLLECTOR}.active", "collector", Status.PASSED),
    )
    found = [spots(one.logged) for one in whole.checks]
    assert found == [[("edge", "himari-collector", 1, 4, 3)], [("edge", "redis-server", 2, 5, 2)], []]
    (excerpt,) = whole.checks[0].logged
    assert (excerpt.warnings, excerpt.warning, excerpt.link(3)) == (1, 3, "logs/edge.html#L3")


def test_a_unit_that_ended_before_the_run_has_its_last_lines_all_the_same(tmp_path: Path) -> None:
    failed, passed = check("collector.quiet", "collector"), check("collector.quiet", "collector", Status.PASSED)
    (down,) = with_lines(tmp_path, failed, begun=1800).checks
    assert spots(down.logged) == [("edge", "himari-collector", 1, 4, 3)]
    assert with_lines(tmp_path, passed, begun=1800).logs == []
    assert with_lines(tmp_path, failed, begun=2 * 3600).checks[0].logged == []


def test_a_rule_of_the_ledger_has_the_lines_of_its_window(tmp_path: Path) -> None:
    (rule,) = with_lines(tmp_path, check("ledger.lost", "", host="stack", phase="ledger")).checks
    assert spots(rule.logged) == [("edge", "", 3, 4, 2)]


def test_gaps_and_faults_have_the_lines_of_their_time(tmp_path: Path) -> None:
    course = with_lines(tmp_path).course
    assert course
    assert [spots(span.logged) for span in course.gaps] == [[("edge", "", 3, 4, 2)], []]
    assert [spots(span.logged) for span in course.faults] == [[("edge", "", 3, 3, 1)]]


def test_what_no_unit_of_ours_tells_of_is_not_linked(tmp_path: Path) -> None:
    whole = with_lines(tmp_path, check("sshd.keys", "sshd"), check("consumer.quiet", "consumer", host="brain"))
    assert [one.logged for one in whole.checks] == [[], []]


def test_the_page_links_lines_that_are_there_wherever_the_folder_is(tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    whole = with_lines(tmp_path / "here", check("collector.quiet", "collector"), check("redis.memory", "redis_buffer"))
    page = render_page(whole)
    (tmp_path / "here").rename(moved)
    links = LINK.findall(page)
    assert {"logs/edge.html#L1", "logs/edge.html#L2", "logs/edge.html#L3"} <= set(links)
    for link in links:
        path, _, line = link.partition("#")
        assert not line or f'id="{line}"' in (moved / path).read_text()
