"""How much room is on a disk."""

import os
from pathlib import Path


def free_bytes(path: Path) -> int:
    """Room that an ordinary user may still fill."""
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


def disk_share(path: Path) -> float:
    """The part of the disk that is free, from 0 to 1."""
    found = os.statvfs(path)
    return found.f_bavail / max(1, found.f_blocks)
