"""Wheelhouses on the host: root's alone, and looked at once more before anything is installed from them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from pathlib import Path

from himari.apply.agent.command import StepError
from himari.apply.agent.places import Places

_SUMS = "SHA256SUMS"
_UNUSED_SECONDS = 3600  # between an upload and its activation, and of an upload itself: much less


def held(places: Places) -> list[str]:
    """The digests of the wheelhouses that nobody but us could have altered."""
    return [folder.name for folder in places.wheels.glob("[!.]*") if _is_ours(folder)]


def check(folder: Path) -> None:
    """Raise StepError unless `folder` holds what was uploaded; what else is there is removed, to be sent again."""
    try:
        bad = _altered(folder)
    except (OSError, ValueError) as unreadable:
        bad = [str(unreadable)]
    if bad:
        shutil.rmtree(folder, ignore_errors=True)
        raise StepError(f"{folder} is not as it was uploaded", [*bad, "himari up sends these wheels again"])


def sweep(places: Places, used: set[str]) -> None:
    """Remove wheelhouses and broken-off uploads that nothing in `used` needs, unless another operator's run may."""
    old = time.time() - _UNUSED_SECONDS
    for folder in places.wheels.glob("*"):
        with contextlib.suppress(FileNotFoundError):  # an upload that has ended just now has its own name
            if folder.name not in used and folder.lstat().st_mtime < old:
                shutil.rmtree(folder, ignore_errors=True)


def _altered(folder: Path) -> list[str]:
    rows = [line.split(maxsplit=1) for line in (folder / _SUMS).read_text().splitlines()]
    strangers = sorted({path.name for path in folder.iterdir()} - {_SUMS, *(name for _, name in rows)})
    other = [name for sum_, name in rows if hashlib.sha256((folder / name).read_bytes()).hexdigest() != sum_]
    return [*(f"{name}: not among {_SUMS}" for name in strangers), *(f"{name}: another content" for name in other)]


def _is_ours(folder: Path) -> bool:
    # An uid of the operator's machine may be anybody's here; whose the folder is may swap what lies in it.
    try:
        return all(path.lstat().st_uid == os.geteuid() for path in (folder, *folder.iterdir()))
    except OSError:
        return False  # no folder, or one that is replaced just now
