"""Evidence survives its file, and JUnit and the page say the same."""

from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest

from himari.proof.evidence import (
    Check,
    Evidence,
    Ledger,
    Severity,
    Status,
    read_evidence,
    write_evidence,
)
from himari.proof.junit import write_junit
from himari.proof.page import render_page, sentence
from himari.proof.source import Recording
from himari.proof.validate import verdict
from himari.stack.errors import ProofFailed
from tests.unit.proof.samples import accounted, drilled, proven, windowed


def check(name: str, status: Status, severity: Severity = Severity.CRITICAL, reason: str = "") -> Check:
    return Check(
        id=name,
        phase="day02_redis",
        host="edge",
        says=f"says {name}",
        severity=severity,
        observed="<b>&\x07",
        status=status,
        reason=reason,
    )


PASSED = check("good", Status.PASSED)
FAILED = check("bad", Status.FAILED, reason="<script>alert(1)</script>")
WARNED = check("odd", Status.FAILED, Severity.WARNING, "not nice")
UNCOVERED = check("hidden", Status.NOT_COVERED, reason="a container has none")
LEDGER = accounted(12048, in_gaps=8)


def evidence(*checks: Check, ledger: Ledger | None = LEDGER) -> Evidence:
    feed = Recording(name="<i>spot.gz", sha256="ab" * 32, symbols=("BTC/USDT",), speed=5.0)
    return proven(*checks, dirty=True, seconds=12.5, versions={"himari": "0.1.0"}, feed=feed, ledger=ledger)


def test_evidence_survives_its_file(tmp_path: Path) -> None:
    whole = evidence(PASSED, FAILED, WARNED, UNCOVERED)
    write_evidence(tmp_path / "evidence.json", whole)
    assert read_evidence(tmp_path / "evidence.json") == whole


def test_the_files_keys_are_the_agreed_ones(tmp_path: Path) -> None:
    write_evidence(tmp_path / "evidence.json", evidence(PASSED))
    written = msgspec.json.decode((tmp_path / "evidence.json").read_bytes())
    assert list(written) == [
        *("stack", "commit", "dirty", "started", "seconds", "versions", "feed", "phases", "checks", "ledger", "drills"),
        *("windows", "steps", "course", "logs"),
    ]
    assert written["feed"]["source"] == "recording"
    assert set(written["checks"][0]) == {
        *("id", "phase", "host", "says", "severity", "observed", "status", "reason", "replaces"),
        *("component", "logged"),
    }


def test_only_a_critical_failure_stops() -> None:
    verdict(evidence(PASSED, WARNED, UNCOVERED))
    with pytest.raises(ProofFailed, match="1 critical") as caught:
        verdict(evidence(PASSED, FAILED, WARNED))
    assert caught.value.exit_code == 7
    assert "edge: bad" in caught.value.what


def test_nothing_checked_is_not_green() -> None:
    assert not evidence().green
    assert sentence(evidence()) == "Nothing was proven: no check ran."


def test_junit_tells_failures_from_warnings_and_from_what_is_not_covered(tmp_path: Path) -> None:
    write_junit(tmp_path / "evidence.xml", evidence(PASSED, FAILED, WARNED, UNCOVERED))
    suite = ElementTree.parse(tmp_path / "evidence.xml").getroot()[0]  # noqa: S314  we have just written it
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("4", "1", "1")
    told = {case.get("name"): [part.tag for part in case][1:] for case in suite}
    assert told == {"good": [], "bad": ["failure"], "odd": ["system-out"], "hidden": ["skipped"]}


def test_the_page_is_self_contained_and_escapes_what_hosts_say() -> None:
    page = render_page(evidence(PASSED, FAILED, WARNED, UNCOVERED))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "http://" not in page
    assert "https://" not in page
    assert "src=" not in page


def test_the_page_says_the_verdict_first_and_failures_before_the_rest() -> None:
    page = render_page(evidence(PASSED, FAILED, WARNED, UNCOVERED))
    places = [
        page.index(text) for text in ("1 critical statement does not hold", "Not so: says bad", "Not so: says odd")
    ]
    assert places == sorted(places)
    assert page.index("Not so: says odd") < page.index("says good")
    assert "a container has none" in page
    assert "12,040" in page
    assert "1 checks passed, 2 failed (1 a warning), 1 cannot be shown" in page
    assert "Input: the recording &lt;i&gt;spot.gz of BTC/USDT at 5 times its speed" in page
    assert f"<dd>{'ab' * 32}</dd>" in page
    assert "not committed" in page


def test_a_unit_that_is_down_stands_before_what_follows_from_it() -> None:
    down = check("collector.himari-collector.service.active", Status.FAILED, reason="inactive")
    whole = evidence(check("collector.cpus", Status.FAILED), WARNED, PASSED, down, FAILED)
    assert [one.id for one in whole.failures] == [down.id, "collector.cpus", "bad", "odd"]
    page = render_page(whole)
    assert page.index(f"<code>{down.id}") < page.index("<code>collector.cpus")
    with pytest.raises(ProofFailed, match=f"3 critical checks failed: edge: {down.id}"):
        verdict(whole)


def test_a_green_sentence_counts_the_events() -> None:
    told = sentence(evidence(PASSED))
    assert told == "Every critical statement holds, and all 12,048 events are accounted for, 8 inside disclosed gaps."
    assert "no data was accounted for" in sentence(evidence(PASSED, ledger=None))


def test_drills_stand_in_all_three_forms(tmp_path: Path) -> None:
    missed = drilled(name="stall", status=Status.FAILED, reason="it took <b>60 s")
    whole = msgspec.structs.replace(evidence(PASSED), drills=[drilled(), missed])
    write_evidence(tmp_path / "evidence.json", whole)
    assert read_evidence(tmp_path / "evidence.json").drills == [drilled(), missed]
    write_junit(tmp_path / "evidence.xml", whole)
    suites = {suite.get("name"): suite for suite in ElementTree.parse(tmp_path / "evidence.xml").getroot()}  # noqa: S314  # our own file
    cases = {case.get("name"): case for case in suites["drills"]}
    assert cases["line-cut"].get("time") == "0.47"
    assert cases["line-cut"].find("failure") is None
    assert cases["stall"].find("failure") is not None
    page = render_page(whole)
    assert "recovered in 0.5 s; 0 gaps; given to line 4" in page
    assert "it took &lt;b&gt;60 s" in page


def test_the_account_of_a_drills_window_stands_on_its_row_and_in_its_case(tmp_path: Path) -> None:
    shared, alone = [drilled(), drilled(name="stall")], drilled(name="garbage", started="2026-01-02T04:00:00+00:00")
    unaccounted = drilled(name="edge-off", started="2026-01-02T05:00:00+00:00")
    windows = [windowed(*shared), windowed(alone, ledger=accounted(7000, stored=6990, lost=10, invented=3))]
    whole = msgspec.structs.replace(evidence(PASSED), drills=[*shared, alone, unaccounted], windows=windows)
    page = render_page(whole)
    assert page.count("5,000 sent, 4,992 stored, 0 lost, 0 invented, 8 in gaps, in one window of 2 drills") == 2
    assert page.count("7,000 sent, 6,990 stored, 10 lost, 3 invented, 0 in gaps") == 1
    assert page.count("no account") == 1
    write_junit(tmp_path / "evidence.xml", whole)
    cases = ElementTree.parse(tmp_path / "evidence.xml").getroot().iter("testcase")  # noqa: S314  # our own file
    told = {case.get("name"): {one.get("name"): one.get("value") for one in case.iter("property")} for case in cases}
    names = ("sent", "stored", "lost", "invented", "events_in_gaps", "window")
    assert [told["stall"][name] for name in names] == ["5000", "4992", "0", "0", "8", "line-cut, stall"]
    assert [told["garbage"][name] for name in names] == ["7000", "6990", "10", "3", "0", "garbage"]
    assert not told["edge-off"].keys() & set(names)


def test_runs_of_one_drill_are_told_apart_and_those_that_missed_stand_first(tmp_path: Path) -> None:
    runs = [drilled(seed=seed, started=f"2026-01-02T03:0{seed}:00+00:00") for seed in (7, 8)]
    missed = drilled(seed=9, status=Status.FAILED, reason="it took 60 s")
    once = drilled(name="stall", seed=9)
    whole = msgspec.structs.replace(evidence(PASSED), drills=[*runs, missed, once])
    assert sentence(whole) == "1 of 4 runs of drills missed what they promise."
    page = render_page(whole)
    assert "<b>4 runs of 2 drills</b>" in page
    table = page[page.index('id="drills"') :]
    assert all(f"<code>line-cut --seed {seed}</code>" in table for seed in (7, 8, 9))
    assert table.index("it took 60 s") < table.index("recovered in")
    write_junit(tmp_path / "evidence.xml", whole)
    suites = {suite.get("name"): suite for suite in ElementTree.parse(tmp_path / "evidence.xml").getroot()}  # noqa: S314  # our own file
    assert (suites["drills"].get("tests"), suites["drills"].get("failures")) == ("4", "1")
    assert [(case.get("classname"), case.get("name")) for case in suites["drills"]] == [
        ("drills.seed-7", "line-cut"),
        ("drills.seed-8", "line-cut"),
        ("drills.seed-9", "line-cut"),
        ("drills", "stall"),
    ]


def test_a_missed_drill_is_the_verdict() -> None:
    missed = drilled(name="stall", status=Status.FAILED, reason="too late")
    whole = msgspec.structs.replace(evidence(PASSED), drills=[drilled(), missed])
    assert not whole.green
    assert sentence(whole) == "1 of 2 drills missed what they promise."
    assert msgspec.structs.replace(whole, drills=[drilled()]).green
