"""A drill has the lines of its own time, whatever it came to."""

from pathlib import Path

import msgspec
import pytest

from himari.drills.field import Field
from himari.drills.judge import Verdict
from himari.drills.logs import with_logs
from himari.drills.run import note
from himari.proof.course import Course, Span
from himari.proof.evidence import DrillRecord, DrillWindow, Marks, read_evidence
from himari.stack.load import load_stack
from himari.stack.paths import StateDir
from tests.unit.proof.journals import START, Journal, said
from tests.unit.proof.samples import accounted, drilled

SECOND = 1_000_000_000
COLLECTOR, CONSUMER = "himari-collector.service", "himari-consumer.service"
MARKS = Marks(fail=START + 100 * SECOND, lift=START + 102 * SECOND, restored=START + 104 * SECOND)
LINES = (
    said(COLLECTOR, "long before"),
    said(COLLECTOR, "killed", at=100.5, priority=3),
    said(COLLECTOR, "up again", at=103),
    said(COLLECTOR, "long after", at=200),
)
FAULT = Span(row="line-cut", start_ns=START + 100 * SECOND, end_ns=START + 101 * SECOND)
GAP = Span(row="gap", start_ns=START + 102 * SECOND, end_ns=START + 103 * SECOND)
COURSE = Course(
    start_ns=START + 90 * SECOND,
    end_ns=START + 110 * SECOND,
    step_ns=SECOND,
    lines=[],
    faults=[],
    gaps=[],
    rates=[],
    delays=[],
)


@pytest.fixture
def field(tmp_path: Path) -> Field:
    return Field(load_stack("lab-edge"), StateDir(tmp_path))


def texts(field: Field, record: DrillRecord) -> dict[str, bool]:
    """Whether the pages that `record` links hold each of LINES."""
    pages = [(field.state.path / one.path).read_text() for one in record.logged]
    return {line["MESSAGE"]: any(line["MESSAGE"] in page for page in pages) for line in LINES}


def logged(field: Field, journal: Journal, *records: DrillRecord) -> list[DrillRecord]:
    return with_logs(field, journal, Verdict(list(records), None)).records


def test_a_drill_has_the_lines_of_its_time_on_each_host(field: Field) -> None:
    (record,) = logged(field, Journal(*LINES, silent=["exchange", "brain"]), drilled(marks=MARKS))
    (excerpt,) = record.logged
    assert (excerpt.host, excerpt.first, excerpt.last, excerpt.warning) == ("edge", 1, 2, 1)
    assert excerpt.path == "logs/drill-line-cut-20260102-030405/edge.html"
    assert texts(field, record) == {"long before": False, "killed": True, "up again": True, "long after": False}


def test_one_that_was_not_restored_has_the_lines_until_it_was_given_up(field: Field) -> None:
    given_up = drilled(marks=Marks(fail=START + 100 * SECOND, verified=START + 220 * SECOND))
    (record,) = logged(field, Journal(*LINES), given_up)
    assert texts(field, record)["long after"]


def test_a_drill_that_is_repeated_drops_its_lines_and_no_others(field: Field) -> None:
    again = drilled(marks=MARKS, started="2026-01-02T04:00:00+00:00")
    for records in ([drilled(name="stall", marks=MARKS), drilled(marks=MARKS)], [again]):
        note(field, [with_logs(field, Journal(*LINES), Verdict(records, None))])
    kept = read_evidence(field.state.evidence).drills
    assert [texts(field, record)["killed"] for record in kept] == [True, True]
    assert {path.name for path in (field.state.path / "logs").iterdir()} == {
        "drill-stall-20260102-030405",
        "drill-line-cut-20260102-040000",
    }


def test_lines_that_a_shared_window_links_stay(field: Field) -> None:
    pair = [drilled(name="stall", marks=MARKS), drilled(marks=MARKS)]
    course = msgspec.structs.replace(COURSE, faults=[FAULT])
    window = DrillWindow(
        drills=["stall", "line-cut"], seed=7, started=pair[0].started, ledger=accounted(10), course=course
    )
    again = drilled(marks=MARKS, started="2026-01-02T04:00:00+00:00", seed=8)
    for verdict in (Verdict(pair, window), Verdict([again], None)):
        note(field, [with_logs(field, Journal(*LINES), verdict)])
    (kept,) = read_evidence(field.state.evidence).windows
    assert kept.course
    linked = [one for span in kept.course.faults for one in span.logged]
    assert {one.path for one in linked} == {f"logs/drill-{name}-20260102-030405/edge.html" for name in kept.drills}
    assert all((field.state.path / one.path).exists() for one in linked)


def test_a_drill_on_silent_hosts_has_no_lines(field: Field) -> None:
    (record,) = logged(field, Journal(silent=["exchange", "edge", "brain"]), drilled())
    assert record.logged == []


def test_the_gaps_of_a_window_have_the_lines_of_their_time(field: Field) -> None:
    course = msgspec.structs.replace(COURSE, faults=[FAULT], gaps=[GAP])
    window = DrillWindow(drills=["line-cut"], seed=7, started="", ledger=accounted(10), course=course)
    journal = Journal(*LINES, silent=["exchange", "brain"])
    done = with_logs(field, journal, Verdict([drilled(marks=MARKS)], window)).window
    assert done
    assert done.course
    assert [(one.path, one.first) for span in done.course.gaps for one in span.logged] == [
        ("logs/drill-line-cut-20260102-030405/edge.html", 2)
    ]
    assert [one.first for span in done.course.faults for one in span.logged] == [1]
