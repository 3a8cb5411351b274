"""What a run that died left behind: its segments are sealed, its last ids found again."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from himari_runtime.messages import Channel, Gap, Kind, Mark, Position, Record, Route, mark_key
from himari_runtime.transport.records import End, encode_all, next_frame, scan
from himari_runtime.transport.segments import (
    Footer,
    Segment,
    footer_frame,
    last_positions,
    read_header,
    segments,
    sync_folder,
)

Router = Callable[[Record], Route]


class Previous(msgspec.Struct, frozen=True):
    """The journal before this run: its last record, the last record of each `stream|channel`, and the gaps in trades
    that its last two segments disclose and do not fill: a run that was killed leaves its backfills undone."""

    last: Position
    marks: dict[str, Mark]
    unfilled: tuple[Gap, ...] = ()


def seal(segment: Segment) -> Segment | None:
    """Closes an open segment for good: cuts a torn tail, adds the footer, syncs, renames, makes it read-only.

    Damage that intact records follow stays where it is: readers pass over it.

    Returns the sealed segment, or None where it held no record and was removed.
    """
    data = segment.path.read_bytes()
    found, end = _intact(data, segment.epoch)
    records = [record for record in found if record.kind < Kind.HEADER]
    if not records:
        segment.path.unlink()
        sync_folder(segment.folder)
        return None
    end -= len(encode_all(record for record in found if record.kind == Kind.FOOTER))
    sealed = Segment(segment.folder, segment.epoch, segment.first_n, records[-1].n)
    footer = Footer(records=len(records), last_n=records[-1].n, sha256=hashlib.sha256(data[:end]).hexdigest())
    with segment.path.open("r+b") as file:
        file.truncate(end)
        file.seek(end)
        file.write(footer_frame(footer))
        file.flush()
        os.fsync(file.fileno())
    _publish(segment, sealed)
    return sealed


def _intact(data: bytes, epoch: int) -> tuple[list[Record], int]:
    """All frames that are whole, and the end of the last of them."""
    records: list[Record] = []
    end = 0
    at: int | None = 0
    while at is not None:
        found = scan(data, epoch, at)
        records += found.records
        end = found.end
        at = None if found.why is End.COMPLETE else next_frame(data, end + 1)
    return records, end


def _publish(segment: Segment, sealed: Segment) -> None:
    segment.path.chmod(0o440)
    segment.path.rename(sealed.path)
    sync_folder(segment.folder)


def recover(folder: Path, route: Router) -> Previous:
    """Seals what is open and finds the last record and marks: the last header's, and its segment's records on top."""
    for segment in segments(folder):
        if segment.last_n is None:
            seal(segment)
    files = segments(folder)
    if not files:
        return Previous(Position(0, 0), {})
    last = files[-1]
    header = read_header(last)
    marks = dict(header.marks) if header else {}
    for record in _intact(last.path.read_bytes(), last.epoch)[0]:
        if record.kind < Kind.HEADER:
            where = route(record)
            marks[mark_key(where.stream, where.channel)] = mark(record, where)
    return Previous(Position(last.epoch, last_positions(files)[last.epoch]), marks, _unfilled(files[-2:]))


def _unfilled(files: list[Segment]) -> tuple[Gap, ...]:
    found: dict[tuple[str, int | None, int | None], Gap] = {}
    for segment in files:
        for record in _intact(segment.path.read_bytes(), segment.epoch)[0]:
            if record.kind == Kind.GAP:
                gap = msgspec.json.decode(record.payload, type=Gap)
                if gap.channel == Channel.TRADE and gap.after_id is not None:
                    found[gap.symbol, gap.after_id, gap.before_id] = gap
    return tuple(gap for gap in found.values() if not gap.filled)


def mark(record: Record, where: Route) -> Mark:
    """What is remembered of a record as the last of its channel."""
    return Mark(record.n, record.epoch, where.last_id, record.received_ns)
