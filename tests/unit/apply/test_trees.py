"""Trees in the cache; Maven is a stand-in that copies what a repository of the test's holds."""

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from himari.apply.maven import pom, repository_path
from himari.apply.preparation import Preparation
from himari.apply.trees import digest, making, tree_folder
from himari.catalog.component import Tree
from himari.drills.field import await_
from himari.stack.errors import MachineError
from himari.stack.maven_lock import Coordinate, Locked, lock_text

FILES = tuple(
    Locked(Coordinate("org.b", name, "1.0"), f"{name}-1.0.jar", len(name), hashlib.sha256(name.encode()).hexdigest())
    for name in ("core", "tools")
)
# Notes its call, and copies the repository into the folder that is named after -DoutputDirectory=.
COPIES = """for word; do case $word in -DoutputDirectory=*) cp -R "$here/repository/." "${word#*=}";; esac; done"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a Maven, its repository and an empty cache."""
    monkeypatch.setenv("HIMARI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    for each in FILES:
        put(tmp_path, each, each.coordinate.artifact)
    told(tmp_path, COPIES)
    (tmp_path / "x.maven").write_text(lock_text(FILES))
    return tmp_path


def put(here: Path, file: Locked, text: str) -> None:
    path = here / "repository" / repository_path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)


def told(here: Path, text: str) -> None:
    path = here / "bin" / "mvn"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'#!/bin/sh\nhere={here}\necho "$0" >>{here}/called\ncp pom.xml {here}/asked\n{text}\n')
    path.chmod(0o755)


def calls(here: Path) -> int:
    return len((here / "called").read_text().splitlines()) if (here / "called").exists() else 0


def tree(here: Path) -> Tree:
    return Tree(name="x", lock=str(here / "x.maven"), link="/opt/himari/x")


def kept(here: Path) -> list[str]:
    return [path.name for path in (here / "cache" / "trees").iterdir()]


def test_a_tree_is_fetched_once_and_is_the_locks_files_for_all_to_read(here: Path) -> None:
    folder = tree_folder(tree(here))
    assert {path.name for path in folder.iterdir()} == {"core-1.0.jar", "tools-1.0.jar", "SHA256SUMS", ".kind"}
    assert {path.stat().st_mode & 0o777 for path in folder.glob("*.jar")} == {0o644}
    subprocess.run(("sha256sum", "--quiet", "-c", "SHA256SUMS"), cwd=folder, check=True)
    assert tree_folder(tree(here)) == folder
    assert calls(here) == 1


def test_a_tree_that_is_of_use_is_noted_as_such(here: Path) -> None:
    folder = tree_folder(tree(here))
    os.utime(folder, (0, 0))
    tree_folder(tree(here))
    assert folder.stat().st_mtime > 0


def test_its_address_is_that_of_its_sums(here: Path) -> None:
    folder = tree_folder(tree(here))
    assert folder.name == digest(tree(here))
    assert hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest().startswith(folder.name)


def test_maven_is_asked_for_the_files_and_nothing_that_they_need_in_turn(here: Path) -> None:
    tree_folder(tree(here))
    asked = (here / "asked").read_text()
    assert asked == pom([each.coordinate for each in FILES], alone=True)
    assert asked.count("<exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion>") == len(FILES)


def test_a_file_that_is_not_the_locks_is_told_and_nothing_is_kept(here: Path) -> None:
    put(here, FILES[1], "tooth")
    with pytest.raises(
        MachineError, match=r"org\.b:tools:1\.0 is not the file that .*x\.maven names: 5 bytes"
    ) as caught:
        tree_folder(tree(here))
    assert caught.value.expected == f"5 bytes, sha256 {FILES[1].sha256}"
    assert "org/b/tools/1.0 from Maven's local repository" in caught.value.hint
    assert kept(here) == []


def test_a_file_that_is_missing_is_told(here: Path) -> None:
    (here / "repository" / repository_path(FILES[0])).unlink()
    with pytest.raises(MachineError, match="0 bytes, sha256 missing"):
        tree_folder(tree(here))
    assert kept(here) == []


def test_what_maven_cannot_fetch_is_told_in_its_first_words(here: Path) -> None:
    why = "Could not find artifact org.b:core:jar:1.0"
    told(here, f"printf '\\033[0m'; echo '[ERROR] {why} -> [Help 1]'; echo '[ERROR] -X'; exit 1")
    with pytest.raises(MachineError) as caught:
        tree_folder(tree(here))
    assert caught.value.what == f"Maven failed: {why}"
    assert "settings" in caught.value.hint
    assert kept(here) == []


def test_a_machine_without_maven_is_told_what_has_it(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(here / "nothing"))
    with pytest.raises(MachineError, match="mvn is not on PATH") as caught:
        tree_folder(tree(here))
    assert caught.value.hint == "apt-get install maven"
    assert kept(here) == []


def test_maven_ends_with_the_run(here: Path) -> None:
    told(here, f"echo $$ >{here}/pid.new; mv {here}/pid.new {here}/pid; exec sleep 600")
    with Preparation() as preparation:
        preparation.begin([making(tree(here))])
        assert await_((here / "pid").exists, 20)
    pid = (here / "pid").read_text().strip()
    assert not Path(f"/proc/{pid}").exists()
    assert kept(here) == []
