"""A real Maven, with the settings of whoever runs this, into an empty cache and onto a host that is a folder."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from himari.apply import maven
from himari.apply.agent import trees as agent
from himari.apply.agent.places import Places
from himari.apply.agent.wire import TreeChange
from himari.apply.trees import tree_folder
from himari.apply.upload import receive
from himari.catalog.component import Tree
from himari.stack.errors import MachineError
from himari.stack.maven_lock import Locked, coordinate, lock_text

TINY = coordinate("aopalliance:aopalliance:1.0")
LOCKED = Locked(TINY, "aopalliance-1.0.jar", 4467, "0addec670fedcd3f113c5c8091d783280d23f75e3acb841b61a9cdb079376a08")


def tree(folder: Path, *files: Locked) -> Tree:
    lock = folder / "tiny.maven"
    lock.write_text(lock_text(files))
    return Tree(name="tiny", lock=str(lock), link=str(folder / "opt" / "tiny"))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HIMARI_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_coordinate_resolves_to_the_file_that_is_known_by_it() -> None:
    assert maven.resolve([TINY]) == (LOCKED,)


def test_a_tree_is_fetched_kept_and_put_on_a_host(tmp_path: Path) -> None:
    wanted = tree(tmp_path, LOCKED)
    folder = tree_folder(wanted)
    assert hashlib.sha256((folder / LOCKED.name).read_bytes()).hexdigest() == LOCKED.sha256
    places = Places(trees=tmp_path / "opt" / "trees", environments=tmp_path / "opt" / "envs")
    packed = subprocess.run(
        ("tar", "-C", folder, "--exclude=./.kind", "-cf", "-", "."), capture_output=True, check=True
    )
    subprocess.run(("sh", "-c", receive(folder, places.trees)), input=packed.stdout, check=True)
    agent.put(TreeChange(wanted.link, folder.name), places)
    assert agent.whole(places) == [folder.name]
    assert sorted(path.name for path in Path(wanted.link).iterdir()) == ["SHA256SUMS", LOCKED.name]


def test_what_is_fetched_once_needs_no_maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tree_folder(tree(tmp_path, LOCKED))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert tree_folder(tree(tmp_path, LOCKED)) == folder


def test_another_file_than_the_locks_is_refused(tmp_path: Path, cache: Path) -> None:
    other = Locked(TINY, LOCKED.name, LOCKED.bytes, "0" * 64)
    with pytest.raises(MachineError, match=r"aopalliance:aopalliance:1\.0 is not the file"):
        tree_folder(tree(tmp_path, other))
    assert list((cache / "trees").iterdir()) == []


def test_what_no_repository_has_is_told_by_its_name(tmp_path: Path, cache: Path) -> None:
    nowhere = Locked(coordinate("aopalliance:aopalliance:0.0.1-none"), "aopalliance-0.0.1-none.jar", 1, "0" * 64)
    with pytest.raises(MachineError, match=r"aopalliance:jar:0\.0\.1-none") as caught:
        tree_folder(tree(tmp_path, nowhere))
    assert "settings" in caught.value.hint
    assert list((cache / "trees").iterdir()) == []
