import base64
import grp
import os
import pwd
import stat
from pathlib import Path

import pytest

from himari.apply.agent.command import StepError
from himari.apply.agent.files import look, put_directory, put_file, settle
from himari.apply.agent.places import Places
from himari.apply.agent.wire import DirectoryChange, FileChange

USER = pwd.getpwuid(os.getuid()).pw_name
GROUP = grp.getgrgid(os.getgid()).gr_name


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(run=tmp_path / "run", lib=tmp_path / "lib", etc=tmp_path / "etc")


def change(path: Path, content: bytes, *, check: list[str] | None = None, apply: list[str] | None = None) -> FileChange:
    text = base64.b64encode(content).decode()
    return FileChange(str(path), text, 0o640, USER, GROUP, check or [], apply or [], guarded=False)


def test_a_file_gets_its_content_mode_and_owner(tmp_path: Path, places: Places) -> None:
    path = tmp_path / "conf.d" / "himari.conf"
    put_file(change(path, b"a = 1\n"), places)
    entry = look(str(path), places)
    assert path.read_bytes() == b"a = 1\n"
    assert entry is not None
    assert (entry.mode, entry.owner, entry.group, entry.pending) == (0o640, USER, GROUP, False)
    assert [each.name for each in path.parent.iterdir()] == ["himari.conf"]


def test_a_candidate_that_its_checker_refuses_leaves_the_old_file(tmp_path: Path, places: Places) -> None:
    path = tmp_path / "x.conf"
    path.write_bytes(b"old\n")
    with pytest.raises(StepError) as failed:
        put_file(change(path, b"new\n", check=["grep", "-c", "old", "{}"]), places)
    assert path.read_bytes() == b"old\n"
    assert "grep" in failed.value.what
    assert failed.value.lines == ["0"]


def test_the_checker_sees_the_candidate_under_its_own_name(tmp_path: Path, places: Places) -> None:
    path = tmp_path / "redis.service"
    put_file(change(path, b"x", check=["sh", "-c", 'test "$(basename "$1")" = redis.service', "-", "{}"]), places)
    assert path.read_bytes() == b"x"
    assert list(places.run.iterdir()) == []


def test_an_apply_is_owed_until_it_is_settled(tmp_path: Path, places: Places) -> None:
    path = tmp_path / "sysctl.conf"
    put_file(change(path, b"x", apply=["sysctl", "--system"]), places)
    owed = look(str(path), places)
    settle(str(path), places)
    settled = look(str(path), places)
    assert owed is not None
    assert settled is not None
    assert (owed.pending, settled.pending) == (True, False)


def test_a_directory_gets_its_mode_also_when_it_is_there(tmp_path: Path) -> None:
    path = tmp_path / "state"
    put_directory(DirectoryChange(str(path), 0o755, USER, GROUP))
    put_directory(DirectoryChange(str(path), 0o700, USER, GROUP))
    assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_nothing_is_where_nothing_is(tmp_path: Path, places: Places) -> None:
    (tmp_path / "file").touch()
    assert look(str(tmp_path / "none"), places) is None
    assert look(str(tmp_path / "file" / "below"), places) is None
