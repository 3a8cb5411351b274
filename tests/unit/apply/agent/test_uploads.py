import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from himari.apply.agent import uploads
from himari.apply.agent.command import StepError

WHEEL = "a-1-py3-none-any.whl"
DAY = 86_400


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "wheels"


def uploaded(root: Path, name: str, age: float = 0) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    (folder / WHEEL).write_bytes(b"wheel")
    (folder / "SHA256SUMS").write_text(f"{hashlib.sha256(b'wheel').hexdigest()}  {WHEEL}\n")
    at = folder.stat().st_mtime - age
    os.utime(folder, (at, at))
    return folder


@pytest.mark.parametrize("theirs", ["", WHEEL, "SHA256SUMS"], ids=["the folder", "a wheel", "the sums"])
def test_wheels_that_somebody_else_may_alter_are_not_there(root: Path, theirs: str) -> None:
    folder = uploaded(root, "a")
    assert uploads.held(root) == ["a"]
    os.chown(folder / theirs, os.getuid() + 1000, -1)
    assert uploads.held(root) == []


def test_an_upload_under_way_is_not_there_yet(root: Path) -> None:
    uploaded(root, ".Xy01")
    assert uploads.held(root) == []


def swapped(folder: Path) -> None:
    (folder / WHEEL).write_bytes(b"whee1")


def cut_short(folder: Path) -> None:
    (folder / WHEEL).write_bytes(b"")


def lost(folder: Path) -> None:
    (folder / WHEEL).unlink()


def without_sums(folder: Path) -> None:
    (folder / "SHA256SUMS").write_text("x")


def joined(folder: Path) -> None:
    (folder / "b-1-py3-none-any.whl").touch()


@pytest.mark.parametrize("spoil", [swapped, cut_short, lost, without_sums, joined])
def test_wheels_that_are_not_as_they_were_uploaded_are_sent_again(root: Path, spoil: Callable[[Path], None]) -> None:
    folder = uploaded(root, "a")
    uploads.check(folder)
    spoil(folder)
    with pytest.raises(StepError) as told:
        uploads.check(folder)
    assert str(folder) in told.value.what
    assert "himari up" in told.value.lines[-1]
    assert uploads.held(root) == []


def test_only_what_nobody_uses_and_nobody_has_just_sent_is_removed(root: Path) -> None:
    for name in ("used", "old", ".broken-off"):
        uploaded(root, name, age=DAY)
    for name in ("another operator's", ".under way"):
        uploaded(root, name)
    uploads.sweep(root, {"used"})
    assert {folder.name for folder in root.iterdir()} == {"used", "another operator's", ".under way"}
