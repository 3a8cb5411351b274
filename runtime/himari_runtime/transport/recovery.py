"""What a run that died left behind: its segments are sealed, its last ids found again."""

from collections.abc import Callable, Container, Iterator
from pathlib import Path

import msgspec

from himari_runtime.messages import Gap, Kind, Mark, Position, Record, Route, mark_key
from himari_runtime.transport.accounts import Accounts
from himari_runtime.transport.marks import mark_of, note
from himari_runtime.transport.sealing import extent, seal
from himari_runtime.transport.segment_reader import walk
from himari_runtime.transport.segments import Segment, last_positions, read_header, segments
from himari_runtime.transport.unfilled import Unfilled
from himari_runtime.venues.sequence import Waiting

Router = Callable[[Record], Route]


class Previous(msgspec.Struct, frozen=True):
    """The journal before this run: its last record, the last record of each `stream|channel`, the gaps in trades that
    it discloses and does not fill, and the holes that it does not even disclose: a run that was killed leaves both."""

    last: Position
    marks: dict[str, Mark]
    unfilled: tuple[Gap, ...] = ()
    waiting: dict[str, Waiting] = {}


def recover(folder: Path, route: Router, dense: Container[str]) -> Previous:
    """Seals what is open and finds what the journal ends with: the last header, and its segment's records on top.

    `dense`: the channels whose every id is sent."""
    for segment in segments(folder):
        if segment.last_n is None:
            seal(segment, extent(segment))
    files = segments(folder)
    if not files:
        return Previous(Position(0, 0), {})
    last = files[-1]
    position = Position(last.epoch, last_positions(files)[last.epoch])
    header = read_header(last)
    marks, unfilled = dict(header.marks) if header else {}, Unfilled(header.unfilled if header else ())
    accounts = Accounts(dense, marks, header.waiting if header else {})
    for record in _records(last):
        where = route(record)
        note(marks, mark_key(where.stream, where.channel), mark_of(record, where))
        accounts.follow(where, record.received_ns, record.monotonic_ns)
        if record.kind == Kind.GAP:
            gap = msgspec.json.decode(record.payload, type=Gap)
            unfilled.note(gap)
            accounts.disclose(gap)
    return Previous(position, marks, unfilled.gaps, accounts.waiting)


def _records(segment: Segment) -> Iterator[Record]:
    for frames, _ in walk(segment):
        yield from (frame for frame in frames if frame.kind < Kind.HEADER)
