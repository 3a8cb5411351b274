"""A host's own look is judged as the operator's is; the weekly one also reads records back."""

import json
from pathlib import Path

import pytest

from himari.runs.self_check import WEEKLY, Asked, judge_read_back, look
from himari.runs.status import CONSUMER
from himari.stack.cutover_note import Stage
from himari.stack.model import Retention


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ('{"records": 5, "duplicates": 0, "unparsed": 0}', ""),
        ('{"records": 5, "duplicates": 2, "unparsed": 0}', "2 records twice"),
        ('{"records": 5, "duplicates": 0, "unparsed": 1}', "1 frames that nobody could read"),
        ('{"records": 0, "duplicates": 0, "unparsed": 0}', "no record"),
        ("", "cannot be read back"),
    ],
)
def test_records_that_were_read_back(said: str, wrong: str) -> None:
    found = "; ".join(judge_read_back("store", said))
    assert wrong in found
    assert bool(found) is bool(wrong)


@pytest.mark.parametrize(("stage", "read"), [(Stage.BACK, False), (Stage.OVER, True)])
def test_a_store_that_a_rollback_put_aside_is_not_read_back(
    stage: Stage, read: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """systemd is a stand-in: our consumer is off, and what runs as it answers as its health command does."""
    off = f"Id={CONSUMER}\nActiveState=inactive\nSubState=dead\nResult=success\nUnitFileState=disabled\n"
    for name, said in (("systemctl", off), ("systemd-run", '{"source": "edge"}\n')):
        (tmp_path / f"{name}.said").write_text(said)
        (tmp_path / name).write_text(f"#!/bin/sh\ncat {tmp_path / name}.said\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    note = tmp_path / "cutover.json"
    note.write_text(json.dumps({"stage": stage, "at": "2026-01-01T00:00:00+00:00", "unit": ""}))
    wrong = look(WEEKLY, Asked(host="brain", wanted=wanted(tmp_path, note), retention=Retention())).wrong
    assert any("cannot be read back" in line for line in wrong) is read


def wanted(folder: Path, note: Path) -> dict[str, object]:
    """What a brain's look looks at."""
    nothing = {"timed": [], "beyond_containers": [], "ours": [], "peers": {}, "collector": "", "self_checks": ""}
    health = [{"settings": "/none", "credential": "none", "user": "himari-consumer"}]
    runs = {"runtime": "", "credstore": "", "health": health, "patience_s": 8.0}
    return {**nothing, **runs, "units": [CONSUMER], "folder": str(folder), "cutover": str(note)}
