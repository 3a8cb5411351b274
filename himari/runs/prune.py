"""`lab prune`: remove what is of no use to any stack: labs whose state is gone, what is cached and not used lately."""

from collections.abc import Iterable

import msgspec

from himari.apply import cache
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
    """Remove `labs`, and what is cached and not used lately. Raises MachineError when a process or command resists."""
    gone, left = [], []
    for orphan in labs:
        left += remove(orphan)
        gone.append(sentence(orphan))
    images = (f"image {name}, not used lately" for name in image.prune())
    wheels = (f"wheels {name}, not used lately" for name in cache.prune(cache.wheels_root()))
    trees = (f"tree {name}, not used lately" for name in cache.prune(cache.trees_root()))
    return PruneReport(removed=(*gone, *images, *wheels, *trees), left=tuple(left))


def sentence(orphan: Orphan) -> str:
    """What is removed with it, and why."""
    return f"lab {orphan.lab} with its hosts and their data: {orphan.reason}"
