"""One run at a time per stack: a flock that dies with its holder, and a note of who that is."""

import fcntl
import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from himari.stack.errors import LockedError, MachineError


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds a stack."""

    pid: int
    command: str
    started: str  # UTC, ISO 8601
    born: int  # when its process began, in the kernel's ticks since boot: numbers of processes are used again


@contextmanager
def hold(path: Path, argv: Sequence[str]) -> Iterator[Holder]:
    """Hold the lock at `path` for the block, noting `argv` as the command that runs.

    Raises LockedError at once when another process has it; the message says which and since when. Raises MachineError
    when the folder cannot be made or written."""
    descriptor = _open(path)
    try:
        _take(descriptor, path)
        try:
            yield _note(descriptor, argv)
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def read_holder(path: Path) -> Holder | None:
    """Who noted itself in `path`; None when the note is missing, half written, or of a process that is gone."""
    try:
        holder = msgspec.json.decode(path.read_bytes(), type=Holder)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return holder if _born(holder.pid) == holder.born else None


def _note(descriptor: int, argv: Sequence[str]) -> Holder:
    """Replace the note by one of this process, also that of a run that was killed."""
    pid, now = os.getpid(), datetime.now(UTC).isoformat("T", "seconds")
    holder = Holder(pid=pid, command=shlex.join(argv), started=now, born=_born(pid) or 0)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, msgspec.json.encode(holder) + b"\n", 0)
    return holder


def _born(pid: int) -> int | None:
    """When a process began; None when none of that number is alive."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()  # before it stands the command's name, which may hold anything
    return None if state in ("Z", "X") else int(fields[18])  # dead, though its parent does not know it yet


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The file is never removed: a second holder could otherwise lock a file that has no name any more.
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise MachineError(
            what=f"the stack's state cannot be written: {error.strerror}",
            where=str(path.parent),
            expected="a folder that this user may write",
            hint="run as the user who made it, or name another one: HIMARI_STATE=/path/to/folder",
        ) from None


def _take(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = read_holder(path)
        who = f"`{holder.command}` (pid {holder.pid}), since {holder.started}" if holder else "another run"
        stop = f"stop it with `kill -INT {holder.pid}`" if holder else f"`fuser {shlex.quote(str(path))}` names it"
        raise LockedError(
            what=f"another run holds this stack: {who}",
            where=str(path),
            expected="one run at a time on a stack",
            hint=f"wait for it to end; {stop}",
        ) from None
