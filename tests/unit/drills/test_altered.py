"""A file that a drill alters is put back, unless somebody has written it since."""

import subprocess
from pathlib import Path

import pytest

from himari.drills.altered import alter, whole
from himari.drills.field import Field
from himari.stack.load import load_stack
from himari.stack.paths import StateDir

SHRINK = "sed -i 's/^size = .*/size = 1/' $f"


class Local(Field):
    """This machine in the place of each host."""

    def inside(self, host: str, script: str) -> str:
        return subprocess.run(("sh", "-ec", script), capture_output=True, text=True, check=True).stdout


@pytest.fixture
def field(tmp_path: Path) -> Field:
    return Local(load_stack("lab-edge"), StateDir(tmp_path))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "service.toml"
    made.write_text("size = 7\n")
    made.chmod(0o640)
    return made


def test_what_a_drill_alters_it_puts_back(field: Field, file: Path) -> None:
    alter(field, "edge", str(file), SHRINK)
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("size = 1\n", 0o640)
    whole(field, "edge", str(file))
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("size = 7\n", 0o640)
    assert list(file.parent.iterdir()) == [file]


def test_what_was_written_after_a_killed_drill_stays(field: Field, file: Path) -> None:
    alter(field, "edge", str(file), SHRINK)
    file.write_text("size = 9\n")
    whole(field, "edge", str(file))
    assert file.read_text() == "size = 9\n"
    assert list(file.parent.iterdir()) == [file]


def test_a_file_that_no_drill_altered_is_left_alone(field: Field, file: Path) -> None:
    whole(field, "edge", str(file))
    assert file.read_text() == "size = 7\n"


def test_a_drill_that_was_killed_before_it_altered_the_file_leaves_it_whole(field: Field, file: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        alter(field, "edge", str(file), "false")
    assert file.read_text() == "size = 7\n"
    whole(field, "edge", str(file))
    assert file.read_text() == "size = 7\n"
    assert list(file.parent.iterdir()) == [file]
