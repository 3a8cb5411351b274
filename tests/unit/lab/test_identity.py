"""The id of a lab, and what it remembers."""

from pathlib import Path

import pytest

from himari.lab.identity import Lab, Record, known_labs, read_record, write_record
from himari.stack.paths import StateDir


def test_two_checkouts_of_one_stack_have_two_labs() -> None:
    one = Lab.of("lab-edge", StateDir(Path("/a/.himari/lab-edge")))
    other = Lab.of("lab-edge", StateDir(Path("/b/.himari/lab-edge")))
    assert one.id != other.id
    assert one == Lab.of("lab-edge", StateDir(Path("/a/.himari/../.himari/lab-edge")))


def test_a_record_is_read_back_and_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIMARI_LABS", str(tmp_path))
    lab = Lab("hm-0a1b2c")
    record = Record(stack="lab-edge", state="/a", subnet="10.200.0.0/24", hosts={"edge": 10})
    assert read_record(lab) is None
    lab.folder.mkdir()
    Lab("hm-ffffff").folder.mkdir()
    write_record(lab, record)
    assert known_labs() == ((lab, record),)
