"""Two proofs, compared: what turned, what moved, what they were made on."""

from pathlib import Path

import msgspec
import pytest

from himari.proof.difference import difference, keep_previous, previous, read_previous
from himari.proof.evidence import Check, Evidence, Severity, Status, write_evidence
from himari.proof.page import render_page
from tests.unit.proof.samples import accounted, drilled, proven


def proof(*, status: Status = Status.PASSED, sent: int = 1000, gaps: int = 0, redis: str = "Redis 7.0") -> Evidence:
    check = Check(
        id="redis_buffer.active",
        phase="day02_redis",
        host="edge",
        says="Redis runs",
        severity=Severity.CRITICAL,
        observed="",
        status=status,
        reason="" if status is Status.PASSED else "it does not",
    )
    ledger = msgspec.structs.replace(accounted(1000), sent=sent, gaps=gaps)
    return proven(check, versions={"edge": redis}, ledger=ledger)


def test_two_like_proofs_differ_in_nothing() -> None:
    assert difference(proof(), proof()).empty


def test_a_check_that_ended_otherwise_is_told() -> None:
    found = difference(proof(), proof(status=Status.FAILED))
    assert [(one.check.id, one.before, one.after, one.worse) for one in found.turned] == [
        ("redis_buffer.active", "passed", "failed", True),
    ]
    assert found.verdict == (True, False)


def test_a_check_that_there_was_not_is_told() -> None:
    before = msgspec.structs.replace(proof(), checks=[])
    assert [(one.before, one.after) for one in difference(before, proof()).turned] == [("", "passed")]
    assert [(one.before, one.after) for one in difference(proof(), before).turned] == [("passed", "")]


@pytest.mark.parametrize(("sent", "moved"), [(1100, False), (900, False), (1101, True), (899, True)])
def test_a_figure_is_told_when_it_moved_by_more_than_a_tenth(sent: int, moved: bool) -> None:
    names = [one.name for one in difference(proof(), proof(sent=sent)).moved]
    assert names == (["ledger: sent"] if moved else [])


def test_a_figure_that_was_nothing_has_no_share() -> None:
    (moved,) = difference(proof(), proof(gaps=2)).moved
    assert (moved.name, moved.before, moved.after, moved.share) == ("ledger: gaps", 0, 2, None)


def test_versions_are_compared() -> None:
    assert difference(proof(), proof(redis="Redis 7.2")).versions == [("edge", "Redis 7.0", "Redis 7.2")]


def test_the_evidence_before_is_kept_and_a_first_run_has_none(tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    keep_previous(path)
    assert read_previous(path) is None
    write_evidence(path, proof(sent=1))
    keep_previous(path)
    assert read_previous(path) == proof(sent=1)
    previous(path).write_text("{}")
    assert read_previous(path) is None


def test_the_page_tells_the_difference_or_that_there_is_nothing_to_compare_with() -> None:
    assert "This is the first run whose evidence was kept" in render_page(proof())
    assert "Every check ended as before" in render_page(proof(), proof())
    page = render_page(proof(status=Status.FAILED, sent=2000), proof())
    assert "Checks that ended otherwise" in page
    assert "+100 %" in page


def test_of_a_drill_that_was_run_again_the_slowest_run_is_compared() -> None:
    fast, slow = drilled(recovery_seconds=0.5), drilled(seed=8, recovery_seconds=2.0)
    before = msgspec.structs.replace(proof(), drills=[fast])
    for runs in ([slow, fast], [fast, slow]):
        [moved] = difference(before, msgspec.structs.replace(proof(), drills=runs)).moved
        assert (moved.name, moved.before, moved.after) == ("drill line-cut, s", 0.5, 2.0)
