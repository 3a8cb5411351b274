"""A group's freezer, in v1's words and in v2's; the folders here are no kernel's."""

from pathlib import Path

import pytest

from himari.lab import freezer
from himari.stack.errors import MachineError


def group(folder: Path, **files: str) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name.replace("_", ".", 1)).write_text(text)
    return folder


def test_one_hierarchy_is_told_and_it_is_the_first_version_s(tmp_path: Path) -> None:
    old, new = group(tmp_path / "old", freezer_state="THAWED"), group(tmp_path / "new", cgroup_freeze="0")
    freezer.order([new, old], freeze=True)
    assert ((old / "freezer.state").read_text(), (new / "cgroup.freeze").read_text()) == ("FROZEN", "0")
    freezer.order([new, old], freeze=False)
    assert (old / "freezer.state").read_text() == "THAWED"


def test_a_machine_with_the_second_version_only_is_told_in_its_words(tmp_path: Path) -> None:
    new = group(tmp_path / "new", cgroup_freeze="0")
    freezer.order([new], freeze=True)
    assert (new / "cgroup.freeze").read_text() == "1"


def test_a_machine_without_a_freezer_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="no freezer"):
        freezer.order([group(tmp_path / "none")], freeze=True)


@pytest.mark.parametrize(
    ("files", "stands"),
    [
        ({"freezer_state": "FROZEN\n"}, True),
        ({"freezer_state": "FREEZING\n"}, False),
        ({"cgroup_events": "populated 1\nfrozen 1\n"}, True),
        ({"cgroup_events": "populated 1\nfrozen 0\n"}, False),
    ],
)
def test_a_group_stands_still_once_all_of_it_does(tmp_path: Path, files: dict[str, str], stands: bool) -> None:
    assert freezer.still([group(tmp_path / "host", **files)]) is stands
