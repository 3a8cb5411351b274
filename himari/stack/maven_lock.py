"""Locks of Maven artifacts: `requirements/NAME.maven`, a line a file, written by `make lock`.

A line is "coordinate file-name bytes sha256:hex"; a coordinate is group:artifact[:type[:classifier]]:version."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from himari.stack.errors import StackFileError

SUMS = "SHA256SUMS"  # beside the files of a tree, wherever it lies
_PART = r"[A-Za-z0-9][A-Za-z0-9._+-]*"
_COORDINATE = re.compile(rf"{_PART}(:{_PART}){{2,4}}")
_LINE = re.compile(
    rf"(?P<coordinate>{_COORDINATE.pattern}) (?P<name>{_PART}) (?P<bytes>\d+) sha256:(?P<sum>[0-9a-f]{{64}})"
)


class Coordinate(msgspec.Struct, frozen=True, order=True):
    """What Maven calls a file."""

    group: str
    artifact: str
    version: str
    type: str = "jar"
    classifier: str = ""

    def __str__(self) -> str:
        kind = (self.type, self.classifier) if self.classifier else (self.type,) if self.type != "jar" else ()
        return ":".join((self.group, self.artifact, *kind, self.version))


class Locked(msgspec.Struct, frozen=True, order=True):
    """One file of a lock: what Maven calls it, and what it must be."""

    coordinate: Coordinate
    name: str
    bytes: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.coordinate} {self.name} {self.bytes} sha256:{self.sha256}"


def coordinate(text: str) -> Coordinate:
    """Raises StackFileError when `text` is none."""
    if not _COORDINATE.fullmatch(text):
        raise StackFileError(f"no Maven coordinate: {text}", expected="group:artifact[:type[:classifier]]:version")
    group, artifact, *kind, version = text.split(":")
    return Coordinate(group, artifact, version, *kind)


def read_coordinates(path: Path) -> tuple[Coordinate, ...]:
    """What is asked for in `path`, a coordinate a line; `#` begins a remark. Raises StackFileError."""
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return tuple(coordinate(line) for line in lines if line)


def read_maven_lock(path: Path) -> tuple[Locked, ...]:
    """The files of a lock, in its order. Raises StackFileError for a line that makes no sense."""
    return tuple(_locked(line, path, number) for number, line in enumerate(path.read_text().splitlines(), 1))


def lock_text(files: Iterable[Locked]) -> str:
    """The lock of `files`. Raises StackFileError when two of them have one name: one folder cannot hold both."""
    listed = sorted(files)
    names = [each.name for each in listed]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise StackFileError(f"two artifacts have the file name {', '.join(twice)}", expected="a name for each")
    return "".join(f"{each}\n" for each in listed)


def sums(files: Iterable[Locked]) -> str:
    """The text of the SHA256SUMS of a folder that holds exactly `files`."""
    return "".join(f"{each.sha256}  {each.name}\n" for each in sorted(files, key=lambda each: each.name))


def address(files: Iterable[Locked]) -> str:
    """The name of that folder, which anybody who has its SHA256SUMS can check."""
    return hashlib.sha256(sums(files).encode()).hexdigest()[:32]


def _locked(line: str, path: Path, number: int) -> Locked:
    said = _LINE.fullmatch(line)
    if said is None:
        hint = "`make lock` writes it anew"
        raise StackFileError("no line of a Maven lock", f"{path}:{number}", "coordinate name bytes sha256:hex", hint)
    return Locked(coordinate(said["coordinate"]), said["name"], int(said["bytes"]), said["sum"])
