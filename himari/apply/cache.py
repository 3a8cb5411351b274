"""What was fetched or made on this machine for hosts: folders that are there whole or not at all, addressed by digest,
and gone once others have taken their place."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import msgspec

from himari.stack.errors import MachineError
from himari.stack.paths import cache_root

KEPT = 3  # of each kind: several checkouts, and a step back
KIND = ".kind"  # says what the folder was made from; of no use on a host
_DRAFT = ".draft-"
_ONE_AT_A_TIME = Lock()  # two hosts want the same folder at the same moment


class Making(msgspec.Struct, frozen=True):
    """How a folder comes to be: what it is made from, in words, and what fills it."""

    folder: Path
    kind: str
    fill: Callable[[Path], object]


def wheels_root() -> Path:
    """The folder of all wheelhouses."""
    return cache_root() / "wheels"


def trees_root() -> Path:
    """The folder of all trees."""
    return cache_root() / "trees"


def made(making: Making) -> Path:
    """The folder, filled when it is not there. Raises MachineError when it cannot be kept, and what filling raises."""
    folder = making.folder
    try:
        with _ONE_AT_A_TIME:
            if not folder.exists():
                publish(folder, making.kind, making.fill)
            use(folder)
    except OSError as refused:
        what, where = f"{folder.parent.name} cannot be kept: {refused.strerror}", str(refused.filename or folder)
        raise MachineError(what, where, "room and rights", "free some space there, or move it: HIMARI_CACHE") from None
    return folder


def publish(folder: Path, kind: str, fill: Callable[[Path], object]) -> None:
    """Fill a draft and give it its name in one step: whoever comes second finds the folder and drops the draft."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    _sweep(folder.parent)
    with _draft(folder.parent) as draft:
        fill(draft)
        (draft / KIND).write_text(kind)
        _settle(draft)
        try:
            draft.rename(folder)
        except OSError:
            if not folder.exists():
                raise
    _sync(folder.parent)


def use(folder: Path) -> None:
    """Note that `folder` was of use just now, which decides what a prune keeps."""
    os.utime(folder)


def prune(root: Path) -> tuple[str, ...]:
    """Remove all folders of `root` but those of each kind that were used last; the names of the removed ones."""
    by_kind: dict[tuple[str, str], list[Path]] = defaultdict(list)
    for folder in sorted(root.glob("[!.]*"), key=lambda folder: folder.stat().st_mtime):
        by_kind[_kind(folder)].append(folder)
    doomed = [folder for folders in by_kind.values() for folder in folders[:-KEPT]]
    for folder in doomed:
        draft = folder.with_name(f"{_DRAFT}{folder.name}")  # half a folder would be taken for whole
        folder.rename(draft)
        shutil.rmtree(draft, ignore_errors=True)
    _sweep(root)
    return tuple(folder.name for folder in doomed)


def _kind(folder: Path) -> tuple[str, str]:
    note = folder / KIND
    return folder.name.rpartition("-")[0], note.read_text() if note.exists() else ""


@contextmanager
def _draft(root: Path) -> Iterator[Path]:
    """A folder whose lock says that it is filled just now; it is gone at the end, unless it got another name."""
    draft, lock = _locked_draft(root)
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        os.close(lock)


def _locked_draft(root: Path) -> tuple[Path, int]:
    while True:
        draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=root))
        with contextlib.suppress(FileNotFoundError):  # swept before it had its lock
            lock = os.open(draft, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if draft.exists():
                return draft, lock
            os.close(lock)


def _sweep(root: Path) -> None:
    """Remove the drafts of killed runs: nobody holds their locks."""
    for draft in root.glob(f"{_DRAFT}*"):
        with contextlib.suppress(OSError):  # another user's, or gone
            lock = os.open(draft, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(draft, ignore_errors=True)
            finally:
                os.close(lock)


def _settle(draft: Path) -> None:
    # After a power cut a name that came to the disk first would vouch for files that did not.
    for path in (*draft.iterdir(), draft):
        _sync(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
