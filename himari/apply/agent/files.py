"""Files and directories on the host."""

from __future__ import annotations

import base64
import grp
import hashlib
import os
import pwd
import shutil
import tempfile
from pathlib import Path

from himari.apply.agent.command import run
from himari.apply.agent.places import Places
from himari.apply.agent.wire import DirectoryChange, Entry, FileChange


def look(path: str, places: Places) -> Entry | None:
    """The file or directory at `path` as it is; None when there is none."""
    try:
        status = Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    digest = "" if Path(path).is_dir() else hashlib.sha256(Path(path).read_bytes()).hexdigest()
    owner, group = _user_name(status.st_uid), _group_name(status.st_gid)
    return Entry(status.st_mode & 0o7777, owner, group, digest, _owed(path, places).exists())


def put_directory(change: DirectoryChange) -> None:
    """Make the directory, or give the one that is there its mode and owner."""
    Path(change.path).mkdir(parents=True, exist_ok=True)
    shutil.chown(change.path, change.owner, change.group)
    Path(change.path).chmod(change.mode)


def check(change: FileChange, places: Places) -> None:
    """Let the file's own checker, if it has one, look at the candidate. Raises StepError when it refuses."""
    if not change.check or change.content is None:
        return
    # Under its own name, as checkers go by it; in a folder of its own, so that nothing else reads it yet.
    places.run.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(prefix="check-", dir=places.run) as folder:
        candidate = Path(folder) / Path(change.path).name
        replace(candidate, content_of(change), change.mode)
        run([word.replace("{}", str(candidate)) for word in change.check], timeout=60)


def put_file(change: FileChange, places: Places) -> None:
    """Put the file in place in one step, after its checker accepted it, and note the `apply` that it owes.

    Raises StepError when the checker refuses; the old file is untouched then."""
    check(change, places)
    if change.apply:
        replace(_owed(change.path, places), b"", 0o600)
    replace(Path(change.path), content_of(change), change.mode, change.owner, change.group)


def content_of(change: FileChange) -> bytes:
    """The bytes of the file that `change` puts in place."""
    return base64.b64decode(change.content or "")


def settle(path: str, places: Places) -> None:
    """The `apply` of `path` succeeded."""
    _owed(path, places).unlink(missing_ok=True)


def replace(path: Path, content: bytes, mode: int, owner: str = "root", group: str = "root") -> None:
    """Write `path` so that a reader, or a power cut, finds the old file or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=".himari-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchown(handle, pwd.getpwnam(owner).pw_uid, grp.getgrnam(group).gr_gid)
            os.fchmod(handle, mode)
            file.flush()
            os.fsync(handle)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink()
        raise


def point(link: str, target: Path) -> None:
    """Make `link` lead to `target`, in one step whatever it led to before."""
    Path(link).parent.mkdir(parents=True, exist_ok=True)
    draft = Path(f"{link}.himari")
    draft.unlink(missing_ok=True)
    draft.symlink_to(target)
    draft.replace(link)


def _owed(path: str, places: Places) -> Path:
    return places.pending / hashlib.sha256(path.encode()).hexdigest()


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
