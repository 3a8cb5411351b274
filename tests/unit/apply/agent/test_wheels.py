import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from himari.apply.agent import wheels
from himari.apply.agent.command import StepError
from himari.apply.agent.places import Places

WHEEL = "a-1-py3-none-any.whl"
DAY = 86_400


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(wheels=tmp_path / "wheels", environments=tmp_path / "envs")


def uploaded(places: Places, name: str, age: float = 0) -> Path:
    folder = places.wheels / name
    folder.mkdir(parents=True)
    (folder / WHEEL).write_bytes(b"wheel")
    (folder / "SHA256SUMS").write_text(f"{hashlib.sha256(b'wheel').hexdigest()}  {WHEEL}\n")
    at = folder.stat().st_mtime - age
    os.utime(folder, (at, at))
    return folder


@pytest.mark.parametrize("theirs", ["", WHEEL, "SHA256SUMS"], ids=["the folder", "a wheel", "the sums"])
def test_wheels_that_somebody_else_may_alter_are_not_there(places: Places, theirs: str) -> None:
    folder = uploaded(places, "a")
    assert wheels.held(places) == ["a"]
    os.chown(folder / theirs, os.getuid() + 1000, -1)
    assert wheels.held(places) == []


def test_an_upload_under_way_is_not_there_yet(places: Places) -> None:
    uploaded(places, ".Xy01")
    assert wheels.held(places) == []


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
def test_wheels_that_are_not_as_they_were_uploaded_are_sent_again(
    places: Places, spoil: Callable[[Path], None]
) -> None:
    folder = uploaded(places, "a")
    wheels.check(folder)
    spoil(folder)
    with pytest.raises(StepError) as told:
        wheels.check(folder)
    assert str(folder) in told.value.what
    assert "himari up" in told.value.lines[-1]
    assert wheels.held(places) == []


def test_only_what_nobody_uses_and_nobody_has_just_sent_is_removed(places: Places) -> None:
    for name in ("used", "old", ".broken-off"):
        uploaded(places, name, age=DAY)
    for name in ("another operator's", ".under way"):
        uploaded(places, name)
    wheels.sweep(places, {"used"})
    assert {folder.name for folder in places.wheels.iterdir()} == {"used", "another operator's", ".under way"}
