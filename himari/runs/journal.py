"""The journal of a run: one JSON line per thing that happened, in `.himari/STACK/runs/`.

A line is written with one write() and synced, so a killed run leaves whole lines; a torn last line is passed over."""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

KEPT = 100  # journals per stack; older ones are removed when a run starts


class Opened(msgspec.Struct, frozen=True, kw_only=True, tag="opened", tag_field="event"):
    """A run began. `inputs` is a digest of all that decides what it does."""

    at: str
    verb: str
    command: str
    pid: int
    inputs: str


class Started(msgspec.Struct, frozen=True, kw_only=True, tag="started", tag_field="event"):
    at: str
    step: str


class Finished(msgspec.Struct, frozen=True, kw_only=True, tag="finished", tag_field="event"):
    """A step ended; it is green when `error` is empty."""

    at: str
    step: str
    seconds: float
    changed: tuple[str, ...] = ()
    host: str = ""  # the host that failed
    error: str = ""


class Said(msgspec.Struct, frozen=True, kw_only=True, tag="said", tag_field="event"):
    at: str
    step: str
    host: str
    says: str


class Closed(msgspec.Struct, frozen=True, kw_only=True, tag="closed", tag_field="event"):
    """The run ended by itself; a journal without this line was cut off."""

    at: str
    seconds: float
    exit_code: int


Line = Opened | Started | Finished | Said | Closed


class Journal:
    """Appends the lines of one run."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def create(cls, folder: Path, verb: str) -> Self:
        """A new journal in `folder`, named by the UTC time and the verb."""
        folder.mkdir(parents=True, exist_ok=True)
        for old in sorted(folder.glob("*.jsonl"))[: -(KEPT - 1)]:
            old.unlink(missing_ok=True)
        path = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{verb}.jsonl"
        return cls(path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644))

    def append(self, line: Line) -> None:
        """Write `line`; it is on the disk when this returns, save for what a step says on its way."""
        os.write(self._descriptor, msgspec.json.encode(line) + b"\n")
        if not isinstance(line, Said):
            os.fdatasync(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._descriptor)


def now() -> str:
    """The UTC time of a line, to the millisecond."""
    return datetime.now(UTC).isoformat("T", "milliseconds")


def read_journal(path: Path) -> list[Line]:
    """The whole lines of a journal, in order."""
    return list(_lines(path))


def last_journal(folder: Path, verb: str) -> list[Line]:
    """The lines of the newest journal of `verb`; empty when there is none."""
    paths = sorted(folder.glob(f"*-{verb}.jsonl"))
    return read_journal(paths[-1]) if paths else []


def ended_well(lines: Sequence[Line]) -> bool:
    """Whether the run in `lines` came to its end, and that was good."""
    return any(isinstance(line, Closed) and line.exit_code == 0 for line in lines)


def stood_at(lines: Sequence[Line]) -> str:
    """The first step of the run in `lines` that was not green, or the last one that it began; empty before any."""
    failed = (line.step for line in lines if isinstance(line, Finished) and line.error)
    return next(failed, next((line.step for line in reversed(lines) if isinstance(line, Started)), ""))


def _lines(path: Path) -> Iterator[Line]:
    decoder = msgspec.json.Decoder(Line)
    for raw in path.read_bytes().splitlines():
        try:
            yield decoder.decode(raw)
        except msgspec.DecodeError:
            return
