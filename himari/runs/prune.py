"""`lab prune`: remove what is of no use to any stack: labs whose state is gone, images and wheels not used lately."""

from collections.abc import Iterable

import msgspec

from himari.apply import wheel_cache
from himari.lab import image, preflight
from himari.lab.orphans import Orphan, orphans, remove


class PruneReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was removed, and what is left of it, which should be nothing."""

    removed: tuple[str, ...]
    left: tuple[str, ...]


def doomed() -> tuple[Orphan, ...]:
    """The labs that a prune would remove. Raises MachineError without root."""
    preflight.require_root()
    return orphans()


def prune(labs: Iterable[Orphan]) -> PruneReport:
    """Remove `labs`, images and wheels. Raises MachineError when a process or a command resists."""
    gone, left = [], []
    for orphan in labs:
        left += remove(orphan)
        gone.append(sentence(orphan))
    images = (f"image {name}, not used lately" for name in image.prune())
    wheels = (f"wheels {name}, not used lately" for name in wheel_cache.prune())
    return PruneReport(removed=(*gone, *images, *wheels), left=tuple(left))


def sentence(orphan: Orphan) -> str:
    """What is removed with it, and why."""
    return f"lab {orphan.lab} with its hosts and their data: {orphan.reason}"
