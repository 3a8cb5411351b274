"""What is kept for hosts: whole or not at all, and no more of them than are of use."""

import fcntl
import os
from pathlib import Path

import pytest

from himari.apply.cache import KEPT, prune, publish, use, wheels_root
from himari.stack.errors import MachineError

RUNTIME, CONSUMER = "himari-runtime runtime.txt cp311", "himari-runtime consumer.txt cp311"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HIMARI_CACHE", str(tmp_path))
    return wheels_root()


def wheel(folder: Path) -> None:
    (folder / "a.whl").write_bytes(b"wheel")


def used(folder: Path, at: int) -> None:
    os.utime(folder, (at, at))


def names(root: Path) -> set[str]:
    return {folder.name for folder in root.iterdir()}


def test_a_folder_is_there_once_it_is_whole(root: Path) -> None:
    publish(root / "a", RUNTIME, wheel)
    assert (root / "a" / "a.whl").read_bytes() == b"wheel"
    assert names(root) == {"a"}


def test_one_that_cannot_be_filled_leaves_nothing(root: Path) -> None:
    def refused(draft: Path) -> None:
        wheel(draft)
        raise MachineError("no pip")

    with pytest.raises(MachineError, match="no pip"):
        publish(root / "a", RUNTIME, refused)
    assert names(root) == set()


def test_who_comes_second_keeps_what_is_there(root: Path) -> None:
    publish(root / "a", RUNTIME, wheel)
    publish(root / "a", RUNTIME, lambda draft: (draft / "b.whl").touch())
    assert (root / "a" / "a.whl").exists()
    assert names(root) == {"a"}


def test_it_is_on_the_disk_before_it_gets_its_name(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[str, bool]] = []

    def noted(handle: int) -> None:
        synced.append((Path(f"/proc/self/fd/{handle}").readlink().name, (root / "a").exists()))

    monkeypatch.setattr(os, "fsync", noted)
    publish(root / "a", RUNTIME, wheel)
    assert ("a.whl", False) in synced
    assert synced[-1] == (root.name, True)


def test_what_a_killed_run_was_filling_goes_and_what_a_live_one_fills_stays(root: Path) -> None:
    for name in (".draft-killed", ".draft-live"):
        (root / name).mkdir(parents=True)
        wheel(root / name)
    live = os.open(root / ".draft-live", os.O_RDONLY)
    fcntl.flock(live, fcntl.LOCK_EX)
    publish(root / "a", RUNTIME, wheel)
    assert names(root) == {"a", ".draft-live"}
    os.close(live)
    publish(root / "b", RUNTIME, wheel)
    assert names(root) == {"a", "b"}


def test_a_draft_of_our_own_is_not_taken_for_a_killed_runs(root: Path) -> None:
    def at_the_same_time(draft: Path) -> None:
        wheel(draft)
        publish(root / "b", RUNTIME, wheel)

    publish(root / "a", RUNTIME, at_the_same_time)
    assert (root / "a" / "a.whl").exists()


def test_the_last_used_of_each_kind_are_kept_and_the_others_named(root: Path) -> None:
    for number in range(KEPT + 2):
        publish(root / f"r{number}", RUNTIME, wheel)
        used(root / f"r{number}", 1000 + number)
    for number, name in enumerate(("lock-a", "lock-b", "c")):
        publish(root / name, CONSUMER, wheel)
        used(root / name, number)
    use(root / "r0")
    assert prune(root) == ("r1", "r2")
    assert names(root) == {"r0", "r3", "r4", "lock-a", "lock-b", "c"}
    assert prune(root) == ()


def test_where_nothing_was_made_there_is_nothing_to_remove(root: Path) -> None:
    assert prune(root) == ()
