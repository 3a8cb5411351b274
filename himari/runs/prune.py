"""`lab prune`: remove what is of no use to any stack: labs whose state is gone, and images not used lately."""

import msgspec

from himari.lab import image, preflight
from himari.lab.orphans import Orphan, orphans, remove


class PruneReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was removed, and what is left of it, which should be nothing."""

    removed: tuple[str, ...]
    left: tuple[str, ...]


def intent() -> tuple[str, ...]:
    """What a prune would remove beyond images, a sentence a lab. Raises MachineError without root."""
    preflight.require_root()
    return tuple(_sentence(orphan) for orphan in orphans())


def prune() -> PruneReport:
    """Remove it. Raises MachineError when a process or a command resists."""
    gone, left = [], []
    for orphan in orphans():
        left += remove(orphan)
        gone.append(_sentence(orphan))
    images = (f"image {name}, not used lately" for name in image.prune())
    return PruneReport(removed=(*gone, *images), left=tuple(left))


def _sentence(orphan: Orphan) -> str:
    return f"lab {orphan.lab} with its hosts and their data: {orphan.reason}"
