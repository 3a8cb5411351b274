"""Two proofs, compared: what turned, what moved, what they were made on."""

from pathlib import Path

import msgspec
import pytest

from himari.proof.difference import difference, keep_previous, previous, read_previous
from himari.proof.evidence import Check, Evidence, Ledger, Severity, Status, tally, write_evidence
from himari.proof.page import render_page
from himari.proof.source import Market

LEDGER = Ledger(
    sent=1000,
    journaled=1000,
    stored=1000,
    lost=0,
    invented=0,
    duplicates=0,
    gaps=0,
    gaps_undisclosed=0,
    events_in_gaps=0,
    gap_seconds=0.0,
    fault_seconds=0.0,
)


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
    return Evidence(
        stack="lab-edge",
        commit="abc",
        dirty=False,
        started="2026-01-02T03:04:05+00:00",
        seconds=10.0,
        versions={"edge": redis},
        feed=Market(seed=7, symbols=("BTC/USDT",), frames_per_s=100.0),
        phases=tally([check]),
        checks=[check],
        ledger=msgspec.structs.replace(LEDGER, sent=sent, gaps=gaps),
    )


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
