"""Drills on real hosts: those that do not interact under one window, and one that is stopped half way."""

import os
import signal
import subprocess
import xml.etree.ElementTree as ET

import msgspec

from himari.drills.field import await_
from himari.drills.known import suite
from himari.drills.run import DrillReport
from himari.drills.window import NOTE
from himari.proof.evidence import Status, read_evidence
from himari.runs.report import UpReport
from tests.lab.conftest import HIMARI, STACK, OwnLab

TIGHT_COST = {"sequence-gap", "lines-cut", "collector-kill"}
REDIS = "/etc/redis/himari.conf"


def test_no_fault_of_the_suite_loses_or_invents_an_event(lab_edge: OwnLab, first_up: UpReport) -> None:
    done = lab_edge.himari("drill", "suite", STACK, "--json")
    assert done.returncode == 0, done.stderr[-4000:] + done.stdout[-4000:]
    report = msgspec.json.decode(done.stdout, type=DrillReport)
    assert [record.name for record in report.drills] == [drill.name for drill in suite()]
    assert {record.name for record in report.drills if record.gaps} <= TIGHT_COST
    assert next(record for record in report.drills if record.name == "collector-kill").gaps > 0


def test_the_evidence_has_the_marks_of_each_drill(lab_edge: OwnLab, first_up: UpReport) -> None:
    evidence = read_evidence(lab_edge.state.evidence)
    assert evidence.green
    for record in evidence.drills:
        marks = [record.marks.fail, record.marks.detect, record.marks.restored, record.marks.verified]
        times = [mark for mark in marks if mark is not None]
        assert len(times) == len(marks), record.name
        assert times == sorted(times), record.name
    linked = {record.name: {one.host for one in record.logged} for record in evidence.drills}
    assert "edge" in linked["collector-kill"]
    assert all((lab_edge.state.path / one.path).exists() for record in evidence.drills for one in record.logged)
    cases = ET.parse(lab_edge.state.evidence.with_suffix(".xml")).getroot().iter("testcase")  # noqa: S314  # our own file
    assert {record.name for record in evidence.drills} <= {case.get("name") for case in cases}


def test_a_drill_that_is_stopped_heals(lab_edge: OwnLab, first_up: UpReport) -> None:
    whole = lab_edge.inside("edge", f"cat {REDIS}")
    running = subprocess.Popen((HIMARI, "drill", "redis-full", STACK), env=lab_edge.environment, text=True)
    assert await_(lambda: lab_edge.inside("edge", f"cat {REDIS}") != whole, 60)
    os.kill(running.pid, signal.SIGINT)
    assert running.wait(60) == 130
    assert lab_edge.inside("edge", f"cat {REDIS}") == whole
    assert "active" in lab_edge.inside("edge", "systemctl is-active redis-server")
    assert not (lab_edge.state.path / NOTE).exists()
    assert {record.status for record in read_evidence(lab_edge.state.evidence).drills} == {Status.PASSED}
