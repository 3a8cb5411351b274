"""A host's own disk: a sparse file with a filesystem of the declared size, so that a host sees what it would rent.

It takes of this machine's disk what the host writes, and no more: what fills it up is promised, never written."""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from himari.lab.host import HostFiles
from himari.lab.lock import Held
from himari.lab.standing import Standing
from himari.stack.errors import CapacityError, HostError, MachineError, StackFileError

GB = 10**9
FILLER = "filler"  # beside the host's files, where the host itself cannot remove it
# No journal and no barriers: a host's power cut leaves the filesystem to this machine, which goes on.
FORMAT = ("-q", "-m", "0", "-i", "65536", "-O", "^has_journal,^resize_inode", "-E", "lazy_itable_init=1,nodiscard")
OPTIONS = "loop,noinit_itable,noatime,nobarrier"
BLOCK = 4096
EASE_BYTES = 1 << 20
DEADLINE_S = 10.0


def provide(files: HostFiles, size_gb: int, under: Held) -> None:
    """Mount the host's disk, made first for a host that is new; 0 GB and a host that began without: none."""
    if size_gb and not files.disk.exists() and not files.upper.exists():
        files.folder.mkdir(parents=True, exist_ok=True)
        draft = files.disk.with_suffix(".tmp")
        with draft.open("wb") as made:
            made.truncate(size_gb * GB)
        under.run(("mkfs.ext4", *FORMAT, str(draft)))
        draft.replace(files.disk)
    if files.disk.exists() and not files.disk_mount.is_mount():
        files.disk_mount.mkdir(exist_ok=True)
        under.run(("mount", "-t", "ext4", "-o", OPTIONS, str(files.disk), str(files.disk_mount)))


@contextmanager
def eased(files: HostFiles) -> Iterator[None]:
    """Let a host with a full disk be mounted and introduced, which takes some blocks; then it is as full as before."""
    if not (files.disk_mount / FILLER).exists():
        yield
        return
    left = free(files)
    _promise(files, left + EASE_BYTES)
    yield
    _promise(files, left)


def fill(on: Standing, host: str, leave: int) -> None:
    """Leave `leave` bytes free on the disk of `host`, in whole blocks; called again, it makes up for what changed.

    Raises StackFileError for a negative number, CapacityError when less is free anyway, HostError without a disk."""
    if leave < 0:
        raise StackFileError("no disk has less than nothing free", f"{leave}", "0 bytes or more")
    files = _require_disk(on, host)
    deadline = time.monotonic() + DEADLINE_S
    while not _full(files, leave):
        if time.monotonic() > deadline:
            raise MachineError("the disk does not get full", host, f"{leave} bytes free", "something there frees space")
        _promise(files, leave)
    if free(files) + BLOCK < leave:
        drain(on, host)
        raise CapacityError("the disk has less free already", f"{host}: {free(files)} bytes", f"{leave} bytes")


def drain(on: Standing, host: str) -> None:
    """Give back what filled the disk."""
    (_require_disk(on, host).disk_mount / FILLER).unlink(missing_ok=True)


def filled(on: Standing, host: str) -> int | None:
    """The bytes that are free on a disk that was filled; None for one that was not, or for a host without one."""
    files = on.files(host)
    there = files.disk_mount.is_mount() and (files.disk_mount / FILLER).exists()
    return free(files) if there else None


def free(files: HostFiles) -> int:
    """The bytes that the host can still write."""
    seen = os.statvfs(files.disk_mount)
    return seen.f_bavail * seen.f_frsize


def _promise(files: HostFiles, leave: int) -> None:
    """Make the filler longer or shorter by what is missing; a promise takes no block of this machine's disk."""
    with _opened(files) as filler:
        long, step = os.fstat(filler).st_size, free(files) - leave
        if step < 0:
            os.ftruncate(filler, max(0, long + step))
        while step >= BLOCK:
            try:
                os.posix_fallocate(filler, long, step)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                step //= 2  # a promise needs a block of its own here and there to be noted in
            long, step = os.fstat(filler).st_size, min(step, free(files) - leave)


def _full(files: HostFiles, leave: int) -> bool:
    """Whether no more than `leave` is free and the filler cannot be shorter; with nothing left, a write must fail."""
    room, filler = free(files), files.disk_mount / FILLER
    long = filler.stat().st_size if filler.exists() else -1
    enough = room < leave + BLOCK and (room + BLOCK > leave or long == 0)
    return enough and long >= 0 and (leave >= BLOCK or not _takes_a_block(files))


def _takes_a_block(files: HostFiles) -> bool:
    tried = files.disk_mount / "tried"
    try:
        tried.write_bytes(bytes(BLOCK))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False
    finally:
        tried.unlink(missing_ok=True)
    return True


@contextmanager
def _opened(files: HostFiles) -> Iterator[int]:
    descriptor = os.open(files.disk_mount / FILLER, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _require_disk(on: Standing, host: str) -> HostFiles:
    on.require(host)
    files = on.files(host)
    if not files.disk_mount.is_mount():
        raise HostError(
            what="the host has no disk of its own",
            where=host,
            expected=f"a host that was made with a size: disk_gb of hosts.{host}",
            hint=f"say disk_gb in the stack file, then himari destroy {on.record.stack} and himari up again",
        )
    return files
