"""What survives a power cut: a small file that is replaced as a whole, and the names in a folder."""

import os
from pathlib import Path


def replace_text(path: Path, text: str) -> None:
    """Gives the file at `path` another text, or leaves the one that it has; on disk when it returns."""
    draft = path.with_name(f"{path.name}.tmp")
    with draft.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes creations, renames and removals in `folder` survive a power cut."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
