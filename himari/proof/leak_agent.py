"""Searches one machine for values that must stand nowhere in clear, and prints where they stand. Standard library only.

It comes over standard input, with the values, as root: they are in no argument, no variable and no file of its own. It
changes nothing, and tells names and places, never a value."""

import base64
import bz2
import contextlib
import gzip
import json
import lzma
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

CHUNK = 1 << 20
OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
PROCESS_FILES = ("cmdline", "environ")

Needles = dict[bytes, str]  # what is searched for, and whose it is


def needles(values: dict[str, str]) -> Needles:
    """Each value as it is and as base64 prints it, at each of the three places where it may begin in a group."""
    found: Needles = {}
    for name, value in values.items():
        raw = value.encode()
        found[raw] = name
        for before in range(3):
            # What stands before and after the value changes the groups at its ends: they are left out.
            first, last = (before * 8 + 5) // 6, (before + len(raw)) * 8 // 6
            found[base64.b64encode(bytes(before) + raw)[first:last]] = f"{name} in base64"
    return found


def held(content: bytes, sought: Needles) -> set[str]:
    return {name for needle, name in sought.items() if needle in content}


def in_stream(stream: IO[bytes], sought: Needles) -> set[str]:
    """The names of what a stream of any length holds, also where two reads meet."""
    overlap = max(map(len, sought), default=1) - 1
    names: set[str] = set()
    rest = b""
    while chunk := stream.read(CHUNK):
        names |= held(rest + chunk, sought)
        rest = (rest + chunk)[-overlap:] if overlap else b""
    return names


def files(folders: list[str], skipped: list[str]) -> Iterator[Path]:
    """All plain files below `folders` but what is below `skipped`; links are not followed."""
    for top in map(Path, (folder for folder in folders if folder not in skipped)):
        if top.is_file():
            yield top
        for here, below, names in os.walk(top):
            below[:] = [name for name in below if str(Path(here, name)) not in skipped]
            for path in (Path(here, name) for name in names):
                with contextlib.suppress(OSError):
                    if stat.S_ISREG(path.lstat().st_mode) and str(path) not in skipped:
                        yield path


def in_file(path: Path, sought: Needles) -> set[str]:
    """The names of what a file holds, compressed or not."""
    names: set[str] = set()
    for opened in (open, OPENERS.get(path.suffix)):
        # A file that goes, or that is not what its name says, while it is read.
        with contextlib.suppress(OSError, EOFError, lzma.LZMAError):
            if opened is not None:
                with opened(path, "rb") as stream:
                    names |= in_stream(stream, sought)
    return names


def processes(proc: str, sought: Needles) -> Iterator[tuple[str, str]]:
    """What stands in a process' arguments and variables."""
    for folder in Path(proc).glob("[0-9]*"):
        for name in PROCESS_FILES:
            with contextlib.suppress(OSError):
                for found in held((folder / name).read_bytes(), sought):
                    yield f"{name} of {process_name(folder)}", found


def process_name(folder: Path) -> str:
    with contextlib.suppress(OSError):
        return f"{(folder / 'comm').read_text().strip()} ({folder.name})"
    return folder.name


def in_command(argv: list[str], sought: Needles) -> set[str]:
    """What a command prints, as journalctl all entries with all their fields."""
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
        assert running.stdout is not None  # noqa: S101  for mypy: PIPE
        return in_stream(running.stdout, sought)


def search(ask: dict[str, Any]) -> dict[str, Any]:
    """Where the values stand, as [place, name], and how much was looked at: what saw nothing proves nothing."""
    sought, looked, found = needles(ask["values"]), 0, set()
    for path in files(ask["folders"], ask["skipped"]):
        looked += 1
        found |= {(str(path), name) for name in in_file(path, sought)}
    if ask["journal"]:
        found |= {("the journal", name) for name in in_command(ask["journal"], sought)}
    running = len(list(Path(ask["proc"]).glob("[0-9]*")))
    found |= set(processes(ask["proc"], sought))
    return {"files": looked, "processes": running, "found": sorted(found)}


def main(ask: dict[str, Any]) -> None:
    """Answer on standard output."""
    sys.stdout.write(json.dumps(search(ask)))
