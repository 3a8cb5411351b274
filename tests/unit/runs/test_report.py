from himari.proof.evidence import Check, Evidence, Ledger, Severity, Status, tally
from himari.proof.source import Market
from himari.runs.report import failed_checks, ledger_sentence

LEDGER = Ledger(
    sent=1200,
    journaled=1200,
    stored=1192,
    lost=0,
    invented=0,
    duplicates=0,
    gaps=1,
    gaps_undisclosed=0,
    events_in_gaps=8,
    gap_seconds=1.5,
    fault_seconds=1.0,
)


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


def evidence(*checks: Check, ledger: Ledger | None = None) -> Evidence:
    return Evidence(
        stack="lab-edge",
        commit="",
        dirty=False,
        started="2026-01-02T03:04:05+00:00",
        seconds=1.0,
        versions={},
        feed=Market(seed=7, symbols=("BTC/USDT",), frames_per_s=400.0),
        phases=tally(checks),
        checks=list(checks),
        ledger=ledger,
    )


def test_a_ledger_that_was_not_compared_says_why() -> None:
    told = ledger_sentence(evidence(check("collector.line"), check("ledger.taken")))
    assert told == "The ledger was not compared: the store stood still"


def test_the_ledger_is_told_in_figures() -> None:
    told = ledger_sentence(evidence(ledger=LEDGER))
    assert told.startswith("Of 1,200 events sent, 1,192 are stored once, 8 lie in 1 disclosed gaps; lost 0")


def test_a_unit_that_is_down_is_told_first_and_warnings_last() -> None:
    whole = evidence(
        check("x.steady", Severity.WARNING), check("collector.cpus", observed="none"), check("x.service.active")
    )
    assert failed_checks(whole) == (
        "FAILED x.service.active on stack: it holds (the store stood still)",
        "FAILED collector.cpus on stack: it holds; observed: none (the store stood still)",
        "WARNING x.steady on stack: it holds (the store stood still)",
    )
