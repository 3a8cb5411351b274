from himari.proof.evidence import Check, Severity, Status
from himari.runs.report import failed_checks, ledger_sentence
from tests.unit.proof.samples import accounted, proven


def check(name: str, severity: Severity = Severity.CRITICAL, observed: str = "") -> Check:
    return Check(
        id=name,
        phase="ledger",
        host="stack",
        says="it holds",
        severity=severity,
        observed=observed,
        status=Status.FAILED,
        reason="the store stood still",
    )


def test_a_ledger_that_was_not_compared_says_why() -> None:
    told = ledger_sentence(proven(check("collector.line"), check("ledger.taken")))
    assert told == "The ledger was not compared: the store stood still"


def test_the_ledger_is_told_in_figures() -> None:
    told = ledger_sentence(proven(ledger=accounted(1200, in_gaps=8)))
    assert told.startswith("Of 1,200 events sent, 1,192 are stored once, 8 lie in 1 disclosed gaps; lost 0")


def test_a_unit_that_is_down_is_told_first_and_warnings_last() -> None:
    whole = proven(
        check("x.steady", Severity.WARNING), check("collector.cpus", observed="none"), check("x.service.active")
    )
    assert failed_checks(whole) == (
        "FAILED x.service.active on stack: it holds (the store stood still)",
        "FAILED collector.cpus on stack: it holds; observed: none (the store stood still)",
        "WARNING x.steady on stack: it holds (the store stood still)",
    )
