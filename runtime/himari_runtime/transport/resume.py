"""Where a pusher goes on: the buffer's last ids against the journal's headers."""

from pathlib import Path

import msgspec

from himari_runtime.messages import START, Mark, Position
from himari_runtime.transport.segments import Segment, read_header, segments


class Resume(msgspec.Struct, frozen=True):
    """Read from `segment` on; `previous`: each stream's last record before it. Until `lacking` the buffer will lack
    records; START where it has all."""

    segment: Segment | None
    previous: dict[str, Position]
    lacking: Position = START


def resume(folder: Path, last: dict[str, Position], floor: Position = START) -> Resume:
    """The newest segment before which no stream lacks a record, but for those until `floor` and those that the journal
    has dropped."""
    files = segments(folder)
    if not files:
        return Resume(None, {})
    floor = max(floor, files[0].before)
    for segment in reversed(files):
        marks = _marks(segment)
        if marks is None:  # whoever begins there knows of no stream what it had before
            continue
        before = stream_marks(marks)
        lacked = [at for name, at in before.items() if at > last.get(name, START)]
        if all(at <= floor for at in lacked):
            return Resume(segment, before, segment.before if lacked else START)
    return Resume(files[0], {})


def stream_marks(marks: dict[str, Mark]) -> dict[str, Position]:
    """The last record of each stream, over its channels."""
    found: dict[str, Position] = {}
    for key, mark in marks.items():
        name = key.rpartition("|")[0]
        found[name] = max(mark.position, found.get(name, START))
    return found


def _marks(segment: Segment) -> dict[str, Mark] | None:
    """None where they are damaged."""
    try:
        header = read_header(segment)
    except FileNotFoundError:  # sealed or dropped since the folder was listed
        sealed = [file for file in segments(segment.folder) if file.first == segment.first]
        header = read_header(sealed[0]) if sealed else None
    return header.marks if header else None


def back(position: Position, records: int, lengths: dict[int, int]) -> Position:
    """The record `records` before `position`; `lengths` has the last n of earlier epochs. START: before all known."""
    epoch, n = position
    while n <= records:
        records -= n
        earlier = [known for known in lengths if known < epoch]
        if not earlier:
            return START
        epoch = max(earlier)
        n = lengths[epoch]
    return Position(epoch, n - records)
