"""Trees on a host: sent as an upload is, linked, and told from those that are not as they were sent."""

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from himari.apply.agent import trees
from himari.apply.agent.command import StepError
from himari.apply.agent.main import answer
from himari.apply.agent.places import Places
from himari.apply.agent.wire import TreeChange
from himari.apply.cache import KIND
from himari.apply.upload import receive

JAR = "core-1.0.jar"
DAY = 86_400


@pytest.fixture
def places(tmp_path: Path) -> Places:
    host = tmp_path / "host"
    return Places(
        run=host / "run",
        lib=host / "lib",
        etc=host / "etc",
        wheels=host / "wheels",
        environments=host / "opt" / "envs",
        trees=host / "opt" / "trees",
        policy=host / "policy",
    )


def sent(places: Places, folder: Path, text: str = "jar") -> str:
    """The digest of a tree that came as `upload` sends it."""
    folder.mkdir(parents=True)
    (folder / JAR).write_text(text)
    sums = f"{hashlib.sha256(text.encode()).hexdigest()}  {JAR}\n"
    (folder / "SHA256SUMS").write_text(sums)
    (folder / KIND).write_text("x.maven")
    named = folder.rename(folder.parent / hashlib.sha256(sums.encode()).hexdigest()[:32])
    packed = subprocess.run(
        ("tar", "-C", named, f"--exclude=./{KIND}", "-cf", "-", "."), capture_output=True, check=True
    )
    subprocess.run(("sh", "-c", receive(named, places.trees)), input=packed.stdout, check=True)
    return named.name


@pytest.fixture
def digest(places: Places, tmp_path: Path) -> str:
    return sent(places, tmp_path / "cache" / "draft")


def link(places: Places) -> str:
    return str(places.trees.parent / "kafka")


def put(places: Places, digest: str) -> None:
    trees.put(TreeChange(link(places), digest), places)


def state(places: Places) -> tuple[dict[str, str], list[str]]:
    told = answer("state", {"trees": [link(places)]}, places)
    return told["trees"], told["uploaded"]


def activated(places: Places, digest: str) -> dict[str, object]:
    parts = ("packages", "users", "directories", "environments", "files", "masked", "units")
    request = {**{part: [] for part in parts}, "credentials": {}}
    return answer("activate", {**request, "trees": [{"link": link(places), "digest": digest}]}, places)


def test_a_tree_is_told_by_its_link_once_it_is_put(places: Places, digest: str) -> None:
    assert state(places) == ({}, [digest])
    assert activated(places, digest) == {"changed": [f"tree {link(places)}"], "failure": None, "token": ""}
    assert state(places) == ({link(places): digest}, [digest])
    assert (Path(link(places)) / JAR).read_text() == "jar"


def test_another_tree_takes_its_place_in_one_step(places: Places, digest: str, tmp_path: Path) -> None:
    put(places, digest)
    other = sent(places, tmp_path / "cache" / "draft", "another")
    put(places, other)
    assert state(places)[0] == {link(places): other}
    assert sorted(path.name for path in places.trees.parent.iterdir()) == ["kafka", "trees"]


def altered(folder: Path) -> None:
    (folder / JAR).write_text("jaw")


def lost(folder: Path) -> None:
    (folder / JAR).unlink()


def joined(folder: Path) -> None:
    (folder / "other.jar").touch()


def hidden(folder: Path) -> None:
    (folder / JAR).chmod(0o600)


def owned(folder: Path) -> None:
    os.chown(folder / JAR, os.getuid() + 1000, -1)


def with_sums_of_its_own(folder: Path) -> None:
    altered(folder)
    (folder / "SHA256SUMS").write_text(f"{hashlib.sha256(b'jaw').hexdigest()}  {JAR}\n")


def without_sums(folder: Path) -> None:
    (folder / "SHA256SUMS").unlink()


@pytest.mark.parametrize("spoil", [altered, lost, joined, hidden, owned, with_sums_of_its_own, without_sums])
def test_a_tree_that_is_not_as_it_was_sent_is_told_as_missing_and_comes_back(
    places: Places, digest: str, spoil: Callable[[Path], None], tmp_path: Path
) -> None:
    put(places, digest)
    spoil(places.trees / digest)
    assert state(places) == ({}, [])
    assert sent(places, tmp_path / "again" / "draft") == digest
    assert state(places) == ({link(places): digest}, [digest])


def test_nothing_is_linked_that_was_altered_after_its_upload(places: Places, digest: str) -> None:
    altered(places.trees / digest)
    with pytest.raises(StepError, match="not as it was uploaded"):
        put(places, digest)
    assert not Path(link(places)).is_symlink()


def test_an_activation_removes_the_tree_that_the_one_before_had_put(
    places: Places, digest: str, tmp_path: Path
) -> None:
    put(places, digest)
    at = (places.trees / digest).stat().st_mtime - DAY
    os.utime(places.trees / digest, (at, at))
    other = sent(places, tmp_path / "cache" / "draft", "another")
    activated(places, other)
    assert [folder.name for folder in places.trees.iterdir()] == [other]


def test_one_that_no_link_needs_goes_unless_it_has_just_come(places: Places, digest: str, tmp_path: Path) -> None:
    put(places, digest)
    old = sent(places, tmp_path / "cache" / "old", "old")
    new = sent(places, tmp_path / "cache" / "new", "new")
    for name in (digest, old):
        at = (places.trees / name).stat().st_mtime - DAY
        os.utime(places.trees / name, (at, at))
    trees.sweep(places)
    assert {folder.name for folder in places.trees.iterdir()} == {digest, new}


def test_a_host_that_is_asked_for_no_tree_reads_none(places: Places, digest: str) -> None:
    assert answer("state", {}, places)["uploaded"] == []
