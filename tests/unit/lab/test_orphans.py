"""Labs whose stack nobody can name any more: told from those that are somebody's, and from those being made."""

from pathlib import Path

import pytest

from himari.lab import identity, orphans
from himari.lab.identity import Lab, Record, write_record
from himari.lab.lab import list_labs
from himari.lab.lock import held


@pytest.fixture
def labs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of all labs, with one whose state is there."""
    monkeypatch.setattr(identity, "RUN", tmp_path / "run")
    monkeypatch.setenv("HIMARI_LABS", str(tmp_path / "labs"))
    made("hm-00aa00", tmp_path)
    return tmp_path / "labs"


def made(lab_id: str, state: Path) -> Lab:
    lab = Lab(lab_id)
    lab.folder.mkdir(parents=True)
    write_record(lab, Record(stack="tokyo", state=str(state), subnet="10.200.0.0/24", hosts={"edge": 10}))
    return lab


def test_a_lab_whose_state_is_there_is_none(labs: Path) -> None:
    assert orphans.orphans() == ()
    assert [(one.stack, one.host, one.orphan) for one in list_labs()] == [("tokyo", "edge", "")]


def test_a_lab_whose_state_is_gone_is_one_and_listed_as_such(labs: Path) -> None:
    made("hm-00bb00", labs / "gone")
    [orphan] = orphans.orphans()
    assert orphan.lab == "hm-00bb00"
    assert orphan.reason == f"the state of stack tokyo is gone: {labs / 'gone'}"
    assert [one.orphan for one in list_labs()] == ["", orphan.reason]


@pytest.mark.parametrize("record", [None, b"", b"{", b"\xff\xfe"])
def test_a_lab_that_does_not_say_whose_it_is_is_listed_with_its_hosts(labs: Path, record: bytes | None) -> None:
    lab = Lab("hm-00cc00")
    lab.host_folder("brain").mkdir(parents=True)
    if record is not None:
        lab.record.write_bytes(record)
    assert [(one.lab, one.host) for one in list_labs()] == [("hm-00aa00", "edge"), ("hm-00cc00", "brain")]
    [orphan] = orphans.orphans()
    assert "half made or half destroyed" in orphan.reason


def test_a_lab_that_somebody_is_making_is_left_alone(labs: Path) -> None:
    lab = Lab("hm-00dd00")
    lab.folder.mkdir()
    with held(lab.lock):
        assert orphans.orphans() == ()
    assert len(orphans.orphans()) == 1
