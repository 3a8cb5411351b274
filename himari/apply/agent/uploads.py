"""Folders that the operator's machine has sent: root's alone, and looked at once more before anything uses them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from pathlib import Path

from himari.apply.agent.command import StepError

SUMS = "SHA256SUMS"
_CHUNK = 1 << 20
_UNUSED_SECONDS = 3600  # between an upload and its activation, and of an upload itself: much less


def held(root: Path) -> list[str]:
    """The names of the folders in `root` that nobody but us could have altered."""
    return [folder.name for folder in root.glob("[!.]*") if _is_ours(folder)]


def check(folder: Path) -> None:
    """Raise StepError unless `folder` holds what was uploaded; what else is there is removed, to be sent again."""
    if bad := altered(folder):
        shutil.rmtree(folder, ignore_errors=True)
        raise StepError(f"{folder} is not as it was uploaded", [*bad, "himari up sends it again"])


def sweep(root: Path, used: set[str]) -> None:
    """Remove uploads, broken-off ones too, that are not in `used`, unless another operator's run may need them."""
    old = time.time() - _UNUSED_SECONDS
    for folder in root.glob("*"):
        with contextlib.suppress(FileNotFoundError):  # an upload that has ended just now has its own name
            if folder.name not in used and folder.lstat().st_mtime < old:
                shutil.rmtree(folder, ignore_errors=True)


def altered(folder: Path) -> list[str]:
    """What in `folder` is not as its sums say, in words; nothing where all is."""
    try:
        return _differing(folder)
    except (OSError, ValueError) as unreadable:
        return [str(unreadable)]


def digest(path: Path) -> str:
    """The sha256 of a file."""
    seen = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            seen.update(chunk)
    return seen.hexdigest()


def _differing(folder: Path) -> list[str]:
    rows = [line.split(maxsplit=1) for line in (folder / SUMS).read_text().splitlines()]
    strangers = sorted({path.name for path in folder.iterdir()} - {SUMS, *(name for _, name in rows)})
    other = [name for sum_, name in rows if digest(folder / name) != sum_]
    return [*(f"{name}: not among {SUMS}" for name in strangers), *(f"{name}: another content" for name in other)]


def _is_ours(folder: Path) -> bool:
    # An uid of the operator's machine may be anybody's here; whose the folder is may swap what lies in it.
    try:
        return all(path.lstat().st_uid == os.geteuid() for path in (folder, *folder.iterdir()))
    except OSError:
        return False  # no folder, or one that is replaced just now
