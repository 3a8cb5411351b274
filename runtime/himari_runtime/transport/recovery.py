"""What a run that died left behind: its segments are sealed, its last ids found again."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from himari_runtime.messages import Channel, Gap, Kind, Mark, Position, Record, Route, mark_key
from himari_runtime.transport.marks import mark_of, note
from himari_runtime.transport.sealing import extent, seal
from himari_runtime.transport.segment_reader import walk
from himari_runtime.transport.segments import Segment, last_positions, read_header, segments

Router = Callable[[Record], Route]


class Previous(msgspec.Struct, frozen=True):
    """The journal before this run: its last record, the last record of each `stream|channel`, and the gaps in trades
    that its last two segments disclose and do not fill: a run that was killed leaves its backfills undone."""

    last: Position
    marks: dict[str, Mark]
    unfilled: tuple[Gap, ...] = ()


def recover(folder: Path, route: Router) -> Previous:
    """Seals what is open and finds the last record and marks: the last header's, and its segment's records on top."""
    for segment in segments(folder):
        if segment.last_n is None:
            seal(segment, extent(segment))
    files = segments(folder)
    if not files:
        return Previous(Position(0, 0), {})
    last = files[-1]
    position = Position(last.epoch, last_positions(files)[last.epoch])
    return Previous(position, _marks(last, route), _unfilled(files[-2:]))


def _records(segment: Segment) -> Iterator[Record]:
    for frames, _ in walk(segment):
        yield from (frame for frame in frames if frame.kind < Kind.HEADER)


def _marks(segment: Segment, route: Router) -> dict[str, Mark]:
    header = read_header(segment)
    marks = dict(header.marks) if header else {}
    for record in _records(segment):
        where = route(record)
        note(marks, mark_key(where.stream, where.channel), mark_of(record, where))
    return marks


def _unfilled(files: list[Segment]) -> tuple[Gap, ...]:
    found: dict[tuple[str, int | None, int | None], Gap] = {}
    for record in (record for segment in files for record in _records(segment)):
        if record.kind == Kind.GAP:
            gap = msgspec.json.decode(record.payload, type=Gap)
            if gap.channel == Channel.TRADE and gap.after_id is not None:
                found[gap.symbol, gap.after_id, gap.before_id] = gap
    return tuple(gap for gap in found.values() if not gap.filled)
