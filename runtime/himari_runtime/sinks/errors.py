"""What a store's disk may refuse, in words for whoever has to mend it."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FULL = {errno.ENOSPC, errno.EDQUOT}
MEND = {
    errno.ENOSPC: "make room on that disk",
    errno.EDQUOT: "raise the quota of the service's user, or make room",
    errno.EACCES: "let the service's user write there",
    errno.EPERM: "let the service's user write there",
    errno.EROFS: "the disk is read-only: see `dmesg` for why, then mount it writable",
    errno.EIO: "the disk fails: see `dmesg`, and replace it",
}


class StoreError(Exception):
    """The store cannot be written; the text names the path, the reason and what mends it. Nothing taken is lost."""


class DiskLowError(StoreError):
    """There is no room, or less than is to be kept."""


class StoreInUseError(Exception):
    """Another process writes this store; the text says which."""


def refusal(path: Path, error: OSError) -> StoreError:
    """What an OSError about `path` means: for want of room a DiskLowError."""
    kind = DiskLowError if error.errno in FULL else StoreError
    mend = MEND.get(error.errno or 0, "see what is at that path")
    return kind(f"{error.filename or path}: {error.strerror or error}: {mend}")


@contextmanager
def refusals(path: Path) -> Iterator[None]:
    """Turns an OSError about `path` into its refusal."""
    try:
        yield
    except OSError as error:
        raise refusal(path, error) from error
