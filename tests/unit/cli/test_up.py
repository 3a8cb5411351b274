"""The table that ends an `up` stands whole on 80 columns."""

import re

import pytest

from himari.cli.up import show_report
from himari.runs.report import Row, UpReport


def row(phase: str) -> Row:
    return Row(phase=phase, hosts=3, changed=117, passed=162, failed=1, not_covered=105, seconds=123.4, says="RED")


def test_no_line_of_the_table_wraps(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal, as rich sees it
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    phases = ("preflight", "day03_network", "day08_runtime", "validate ledger")
    report = UpReport(
        stack="lab-edge",
        green=False,
        changed=(),
        seconds=110.1,
        rows=tuple(map(row, phases)),
        failed=("FAILED x on edge: y",),
        input="the market",
        account="The ledger was not compared: the store stood still",
        ledger=None,
        evidence="e.json",
        page="e.html",
        journal="j",
    )
    show_report(report)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    assert all(len(line.rstrip()) <= 80 for line in lines[:8])
    for phase in phases:
        assert [line for line in lines if phase in line and "123.4" in line]
    told = lines[lines.index("FAILED x on edge: y") :]
    assert told[1:3] == ["The ledger was not compared: the store stood still", "Input: the market"]
