"""The spine on real hosts: from nothing to green, nothing changed twice, drift, a recording, gone.

The tests share one stack and run in the order in which they stand."""

import re
import time
import xml.etree.ElementTree as ET

import pytest

from himari.lab import lab
from himari.proof.evidence import Status, read_evidence
from himari.runs.report import UpReport
from himari.stack.paths import PROJECT
from tests.lab.commands import commands_since
from tests.lab.conftest import STACK, OwnLab

ALTERED = "/etc/sysctl.d/90-himari.conf"
CREDENTIAL = "/etc/credstore.encrypted/redis-reader"


def test_up_from_nothing_is_green_and_accounts_for_every_event(lab_edge: OwnLab, first_up: UpReport) -> None:
    assert first_up.green
    assert first_up.ledger is not None
    assert first_up.ledger.sent >= 1000
    assert first_up.ledger.stored == first_up.ledger.sent == first_up.ledger.journaled
    assert (first_up.ledger.lost, first_up.ledger.invented, first_up.ledger.gaps) == (0, 0, 0)


def test_the_evidence_is_whole_in_all_three_forms(lab_edge: OwnLab, first_up: UpReport) -> None:
    evidence = read_evidence(lab_edge.state.evidence)
    assert {phase.name for phase in evidence.phases} == {
        "day01_host",
        "day02_redis",
        "day03_network",
        "day04_irq",
        "day08_runtime",
        "day10_cutover",
        "ledger",
    }
    assert {check.host for check in evidence.checks} == {"exchange", "edge", "brain", "stack"}
    assert all(check.reason for check in evidence.checks if check.status is Status.NOT_COVERED)
    cases = ET.parse(lab_edge.state.evidence.with_suffix(".xml")).getroot().iter("testcase")  # noqa: S314  # our own file
    assert len(list(cases)) == len(evidence.checks) + len(evidence.drills)
    page = lab_edge.state.evidence.with_suffix(".html").read_text()
    assert all(check.says.split("`")[0][:20] in page for check in evidence.checks[:5])


def test_a_second_up_changes_nothing_with_two_commands_a_host_not_even_after_a_reboot(
    lab_edge: OwnLab, first_up: UpReport
) -> None:
    lab.power_off(STACK, "edge", lab_edge.state)
    lab.power_on(STACK, "edge", lab_edge.state)
    start = f"{time.time():.6f}"
    again = lab_edge.up()
    assert again.changed == ()
    for host in lab_edge.stack.hosts:
        assert len(commands_since(lambda script, at=host: lab_edge.inside(at, script), start)) == 2


def test_the_native_tools_agree_as_the_docs_show_them(lab_edge: OwnLab, first_up: UpReport) -> None:
    page = (PROJECT / "docs" / "first-steps.md").read_text()
    deploy, prove = re.findall(rf"^HIMARI_STACK={STACK} .*", page, re.MULTILINE)
    deployed = lab_edge.typed(deploy)
    assert deployed.returncode == 0, deployed.stderr
    assert "No changes" in deployed.stdout + deployed.stderr
    proven = lab_edge.typed(prove)
    assert proven.returncode == 0, proven.stdout
    assert "passed" in proven.stdout


def test_a_file_altered_by_hand_is_found_and_mended(lab_edge: OwnLab, first_up: UpReport) -> None:
    whole = lab_edge.inside("edge", f"cat {ALTERED}")
    lab_edge.inside("edge", f"echo '# by hand' >>{ALTERED}")
    lab_edge.inside("brain", f"echo altered >>{CREDENTIAL}")
    found = lab_edge.himari("drift", STACK)
    assert found.returncode == 8
    assert ALTERED in found.stdout
    assert "edge" in found.stdout
    assert "credential redis-reader: encrypt" in found.stdout
    mended = lab_edge.up()
    assert [what for what in mended.changed if ALTERED in what]
    assert "brain: day08_runtime: credential redis-reader" in mended.changed
    lab_edge.inside("brain", f"systemd-creds decrypt --name=redis-reader {CREDENTIAL} - >/dev/null")
    assert lab_edge.inside("edge", f"cat {ALTERED}") == whole
    assert lab_edge.himari("drift", STACK).returncode == 0


@pytest.mark.recording
def test_a_recording_of_a_venue_runs_through_the_lab(
    lab_edge: OwnLab, first_up: UpReport, request: pytest.FixtureRequest
) -> None:
    report = lab_edge.up("--recording", str(request.config.getoption("--recording")))
    assert report.ledger is not None
    assert report.ledger.sent >= 1000
    assert (report.ledger.lost, report.ledger.invented, report.ledger.gaps) == (0, 0, 0)


def test_destroy_leaves_nothing(lab_edge: OwnLab, first_up: UpReport) -> None:
    done = lab_edge.himari("destroy", STACK, "--yes")
    assert done.returncode == 0, done.stderr
    assert lab.remains(STACK, lab_edge.state) == []
