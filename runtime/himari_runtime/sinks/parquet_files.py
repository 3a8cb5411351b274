"""Which files a Parquet store has. A file's name says which records it holds; a date's folder holds a day's records.

Records only grow while dates may fall: a clock that is set back files later records under an earlier date. So the
folder that the next file goes to is noted before a file of another folder is followed by it, and the newest records
are where the note says, whatever the dates say. Where there is no note, all folders are looked through.
"""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec

from himari_runtime.durable import replace_text
from himari_runtime.messages import Position

NAME = re.compile(r"^(?P<source>.+)-(\d+)\.(\d+)-(\d+)\.(\d+)\.parquet$")
FOLDER = re.compile(r"^date=\d{4}-\d{2}-\d{2}$")
CLOCK_STEP_NS = 86_400 * 10**9  # how far the brain's own clock may have been set back between two files


class StoredFile(msgspec.Struct, frozen=True):
    """A finished file and the records that it holds."""

    path: Path
    first: Position
    last: Position


def venue_folder(root: Path, venue: str) -> Path:
    """Where the dates of a venue are."""
    return root / f"venue={venue}"


def date_folder(root: Path, venue: str, day: str) -> Path:
    """Where the records of `day` (YYYY-MM-DD) are."""
    return venue_folder(root, venue) / f"date={day}"


def files_of(folder: Path, source: str) -> list[StoredFile]:
    """A source's finished files in one date's folder, in the order of their records."""
    found = []
    for path in folder.glob("*.parquet"):
        match = NAME.match(path.name)
        if match and match["source"] == source:
            numbers = [int(text) for text in match.groups()[1:]]
            found.append(StoredFile(path, Position(*numbers[:2]), Position(*numbers[2:])))
    return sorted(found, key=lambda file: file.first)


def stored_files(
    root: Path, source: str, venue: str, first_day: date = date.min, last_day: date = date.max
) -> list[StoredFile]:
    """The finished files of a source with records of these days, in the order of their records."""
    days = f"date={first_day.isoformat()}", f"date={last_day.isoformat()}"
    return _files(source, (folder for folder in _folders(root, venue) if days[0] <= folder.name <= days[1]))


def files_since(root: Path, source: str, venue: str, stored_ns: int) -> list[StoredFile]:
    """The files that appeared after `stored_ns`, whatever the dates of their records.

    A file that appears changes its folder's time: a folder that was last changed well before is not listed."""
    changed = (folder for folder in _folders(root, venue) if folder.stat().st_mtime_ns >= stored_ns - CLOCK_STEP_NS)
    return [file for file in _files(source, changed) if file.path.stat().st_ctime_ns >= stored_ns]


def newest_file(root: Path, source: str, venue: str) -> StoredFile | None:
    """The file with the last of all records."""
    noted = _files(source, noted_folders(root, source, venue))
    return max(noted or stored_files(root, source, venue), key=lambda file: file.last, default=None)


def newest_first(root: Path, source: str, venue: str) -> Iterator[StoredFile]:
    """The files of a source, the last first, a folder listed only when it is reached.

    Folders of dates beyond the newest file's are left out: a clock that has been set back made them."""
    newest = newest_file(root, source, venue)
    if newest is not None:
        folders = [folder for folder in _folders(root, venue) if folder.name <= newest.path.parent.name]
        for folder in sorted(folders, reverse=True):
            yield from reversed(files_of(folder, source))


def noted_folders(root: Path, source: str, venue: str) -> list[Path]:
    """The folder that files are written to and the one with the newest file before them; none where none is noted."""
    try:
        names = _note(root, source, venue).read_text().split()
    except (FileNotFoundError, UnicodeDecodeError):
        return []
    return [venue_folder(root, venue) / name for name in names if FOLDER.match(name)]


def note_folder(root: Path, source: str, venue: str, folder: Path) -> None:
    """To be called before the first of some files is written to `folder`; on disk when it returns."""
    newest = newest_file(root, source, venue)
    names = {newest.path.parent.name: None} if newest else {}
    replace_text(_note(root, source, venue), "\n".join(names | {folder.name: None}) + "\n")


def drafts(root: Path, source: str, venue: str) -> Iterator[Path]:
    """What a writer that was killed left."""
    for folder in noted_folders(root, source, venue) or _folders(root, venue):
        yield from folder.glob(f"{source}-*.tmp")


def _note(root: Path, source: str, venue: str) -> Path:
    return venue_folder(root, venue) / f"{source}.folder"


def _folders(root: Path, venue: str) -> list[Path]:
    return [path for path in venue_folder(root, venue).glob("date=*") if FOLDER.match(path.name)]


def _files(source: str, folders: Iterator[Path] | list[Path]) -> list[StoredFile]:
    found = [file for folder in folders for file in files_of(folder, source)]
    return sorted(found, key=lambda file: file.first)
