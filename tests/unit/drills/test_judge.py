"""The verdict: a deadline, what must be seen, gaps, and the ledger."""

import msgspec
import pytest

from himari.drills.drill import Gaps
from himari.drills.judge import Attempt, Verdict, judge
from himari.proof.accounts import Gap
from himari.proof.evidence import DrillRecord, DrillWindow, Status
from himari.proof.ledger import LedgerResult
from tests.unit.drills.samples import SECOND, account, attempt, drill, gap
from tests.unit.proof.samples import STARTED

TIGHT = drill("cuts", gaps=Gaps.TIGHT)


def judged(*attempts: Attempt, result: LedgerResult | None = None) -> list[DrillRecord]:
    return verdict(*attempts, result=result or account()).records


def verdict(*attempts: Attempt, result: LedgerResult | None) -> Verdict:
    return judge(attempts, result, seed=7, started=STARTED, commit="abc", why="" if result else "the edge is off")


def test_a_drill_in_time_with_a_whole_ledger_holds() -> None:
    (record,) = judged(attempt(drill()))
    assert (record.status, record.recovery_seconds, record.gaps, record.reason) == (Status.PASSED, 3.0, 0, "")
    assert (record.name, record.seed, record.seen, record.marks.restored) == ("one", 7, "shown", 103 * 10**9)


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (attempt(drill(), restored=112.5), "it took 12.5 s, 10 s are allowed"),
        (attempt(drill(), restored=None), "no new data reached the brain within 10 s, nor some time later"),
        (attempt(drill(), seen=""), "nothing showed that it shows"),
        (attempt(drill(), trouble="edge: gone"), "edge: gone"),
    ],
    ids=["late", "never", "unseen", "trouble"],
)
def test_what_was_missed_is_told(made: Attempt, reason: str) -> None:
    (record,) = judged(made)
    assert (record.status, record.reason) == (Status.FAILED, reason)


def test_a_gap_where_none_is_allowed_misses() -> None:
    (record,) = judged(attempt(drill()), result=account(gap(100.5, 101)))
    assert record.reason == "1 gaps, none is allowed: depth BTC/USDT (reconnect)"


def test_a_tight_gap_is_the_price_of_a_drill_that_says_so() -> None:
    (record,) = judged(attempt(TIGHT), result=account(gap(100.5, 101)))
    assert (record.status, record.gaps) == (Status.PASSED, 1)


def test_a_gap_is_no_price_where_chance_spared_what_it_comes_from() -> None:
    (record,) = judged(attempt(TIGHT, spared=True), result=account(gap(100.5, 101)))
    assert record.reason == "1 gaps, none is allowed: depth BTC/USDT (reconnect)"


def test_the_ledger_holds_the_fault_for_over_when_it_ended_not_when_all_worked_again() -> None:
    slow = attempt(drill("refused"), over_ns=115 * SECOND, served_ns=160 * SECOND)
    told = slow.fault(900 * SECOND)
    assert (told.seconds, told.explained_seconds) == (15.0, 20.0)
    assert told.disturbs(164 * SECOND)
    assert not told.disturbs(166 * SECOND)


def test_a_fault_that_never_ended_lasts_as_long_as_the_window() -> None:
    assert attempt(drill(), restored=None, over_ns=None).fault(900 * SECOND).end_ns == 900 * SECOND


def test_what_the_ledger_has_against_the_window_misses() -> None:
    (record,) = judged(attempt(TIGHT), result=account(against="depth BTCUSDT: 4 to 7 are missing and no gap says so"))
    assert record.status is Status.FAILED
    assert "4 to 7 are missing and no gap says so" in record.reason


def test_without_an_account_nothing_is_proven() -> None:
    found = verdict(attempt(drill()), result=None)
    assert [record.reason for record in found.records] == ["the ledger was not compared: the edge is off"]
    assert found.window is None


def test_the_account_of_a_shared_window_is_kept_once_for_all_its_drills() -> None:
    result = account()
    found = verdict(attempt(drill()), attempt(TIGHT, 200, 203), result=result)
    assert found.window == DrillWindow(
        drills=["one", "cuts"], seed=7, started=STARTED, ledger=result.ledger, course=result.course
    )
    assert all(map(found.window.holds, found.records))
    assert not found.window.holds(msgspec.structs.replace(found.records[0], seed=8))


@pytest.mark.parametrize(
    ("where", "charged"),
    [
        (gap(100.5, 101), ["one"]),
        (gap(201, 202), ["cuts"]),
        (gap(203.5, 204), ["cuts"]),  # the fault's after-effect, within the grace
        (gap(150, 151), ["one"]),  # between two drills: the one before answers
        (gap(301, 302), ["last"]),
    ],
    ids=["its own", "a tight one's", "in the grace", "between", "the last one's"],
)
def test_in_a_shared_window_each_gap_has_one_drill_that_answers_for_it(where: Gap, charged: list[str]) -> None:
    records = judged(
        attempt(drill(), 100, 103), attempt(TIGHT, 200, 203), attempt(drill("last"), 300, 303), result=account(where)
    )
    assert [record.name for record in records if record.gaps] == charged
    assert [record.name for record in records if record.status is Status.FAILED] == [
        name for name in charged if name != "cuts"
    ]
