"""Trees: `link` -> a folder of files whose name is the digest of their sums, so that the folder vouches for itself."""

from __future__ import annotations

import stat
from pathlib import Path

from himari.apply.agent import uploads
from himari.apply.agent.files import point
from himari.apply.agent.places import Places
from himari.apply.agent.wire import TreeChange

_READABLE = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH


def whole(places: Places) -> list[str]:
    """The digests of the trees that hold what was sent, all of it and nothing else, for everybody to read."""
    return [name for name in uploads.held(places.trees) if _is_whole(places.trees / name)]


def linked(link: str, places: Places) -> str:
    """The digest of the tree that `link` leads to; empty when it leads to none."""
    target = Path(link).resolve()
    return target.name if target.parent == places.trees.resolve() else ""


def put(change: TreeChange, places: Places) -> None:
    """Point the link at the tree `change.digest`, in one step. Raises StepError when that is not as it was sent."""
    folder = places.trees / change.digest
    uploads.check(folder)
    point(change.link, folder)


def sweep(places: Places) -> None:
    """Remove trees that no link needs any more; only once no unit runs from them."""
    uploads.sweep(places.trees, places.linked)


def _is_whole(folder: Path) -> bool:
    try:
        readable = all(path.stat().st_mode & _READABLE == _READABLE for path in (folder, *folder.iterdir()))
        named = uploads.digest(folder / uploads.SUMS).startswith(folder.name)
    except OSError:
        return False  # without its sums, or replaced just now
    return readable and named and not uploads.altered(folder)
