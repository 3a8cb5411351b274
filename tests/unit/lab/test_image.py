"""What an image is called, and the call that makes it."""

import os
from pathlib import Path

import msgspec
import pytest

from himari.lab import image
from himari.lab.image import Recipe

RECIPE = Recipe(
    suite="bookworm",
    sources="Types: deb\n",
    apt_options=(),
    packages=("chrony",),
    certificates=(),
    customize="#!/bin/sh",
)


def test_every_ingredient_changes_the_digest() -> None:
    changed = (
        {"suite": "trixie"},
        {"sources": "Types: deb deb-src\n"},
        {"apt_options": ('Acquire::Check-Date "false";',)},
        {"packages": ("chrony", "redis-server")},
        {"certificates": (("ca.crt", "PEM"),)},
        {"customize": "#!/bin/sh -e"},
    )
    digests = {msgspec.structs.replace(RECIPE, **change).digest for change in changed}
    assert len(digests | {RECIPE.digest}) == len(changed) + 1


def test_the_build_reads_only_what_was_laid_out_for_it() -> None:
    argv = image.build_argv(RECIPE, Path("/build"), Path("/build/image.tar.zst"))
    assert argv[-3:] == ("bookworm", "/build/image.tar.zst", "/build/lab.sources")
    assert '--customize-hook=/build/customize.sh "$1" /build' in argv
    assert not any("://" in word for word in argv)


def test_the_images_used_last_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIMARI_CACHE", str(tmp_path))
    image.images_root().mkdir()
    for age in range(7):
        path = image.images_root() / f"{age}.tar.zst"
        path.touch()
        os.utime(path, (1_000_000 - age, 1_000_000 - age))
    (image.images_root() / "0.lock").touch()
    assert image.prune() == ("6.tar.zst", "5.tar.zst", "4.tar.zst")
    assert {path.name for path in image.images_root().iterdir()} == {"0.lock", *(f"{age}.tar.zst" for age in range(4))}
    assert image.prune() == ()
