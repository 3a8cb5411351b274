"""Timelines as the page draws them: rows of bars, placed in hundredths of what they are drawn against. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from himari.proof.course import Course, Span
from himari.proof.evidence import DrillRecord, repeated
from himari.proof.excerpts import Excerpt

SECOND = 1e9
LEAST = 0.4  # a bar that is thinner cannot be seen
ROWS = 40  # of one timeline


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """`left` and `width` in hundredths."""

    kind: str
    left: float
    width: float
    says: str = ""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    bars: list[Bar]
    says: str
    logged: list[Excerpt] = []


class _Drawn(NamedTuple):
    """A row that is not placed yet: its spans, each with the kind of its bar."""

    name: str
    says: str
    spans: tuple[tuple[Span, str], ...]


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """Rows over `seconds`; `more` is how many rows are not shown."""

    seconds: float
    rows: list[Row]
    more: int = 0


def run_timeline(steps: Sequence[Span]) -> Timeline | None:
    """The steps of a run, one a row; None for a proof by itself."""
    if len(steps) < 2:
        return None
    rows = (_Drawn(step.row, _lasted(step), ((step, "bad" if step.bad else "step"),)) for step in steps)
    return _timeline(rows, steps)


def window_timeline(course: Course | None, drills: Sequence[DrillRecord] = ()) -> Timeline | None:
    """Faults, lines and disclosed gaps of a window of the ledger; of those of `drills` also what recovery took."""
    if course is None or not (course.lines or course.faults or course.gaps):
        return None
    edges = [Span(row="", start_ns=course.start_ns, end_ns=course.end_ns)]
    named = {drill.name: drill for drill in drills}
    rows = (
        *(_fault(fault, named.get(fault.row)) for fault in course.faults),
        *(_Drawn(line.row, f"{line.says} for {_lasted(line)}", ((line, "up"),)) for line in course.lines),
        *(_Drawn(gap.row, f"{_lasted(gap)}; {gap.says}", ((gap, "gap"),)) for gap in course.gaps),
    )
    return _timeline(rows, edges)


def drill_timeline(drills: Sequence[DrillRecord]) -> Timeline | None:
    """Each drill from its own beginning, all to one scale: the fault, and what it took to recover from it."""
    shown = [drill for drill in drills if None not in (drill.marks.fail, drill.marks.lift)]
    if not shown:
        return None
    longest = max(_ends(drill) - (drill.marks.fail or 0) for drill in shown) or 1
    again = repeated(shown)
    rows = [_drill(drill, longest, seeded=drill.name in again) for drill in shown[:ROWS]]
    return Timeline(seconds=longest / SECOND, rows=rows, more=max(0, len(shown) - ROWS))


def _fault(fault: Span, drill: DrillRecord | None) -> _Drawn:
    says = f"made on purpose, {_lasted(fault)}"
    if drill is None:
        return _Drawn(fault.row, says, ((fault, "bad"),))
    spans = [(fault, "bad")]
    if drill.marks.restored:
        spans.append((Span(row="", start_ns=fault.end_ns, end_ns=drill.marks.restored, says="recovery"), "step"))
    return _Drawn(fault.row, f"{says}; {_recovered(drill)}", tuple(spans))


def _timeline(rows: Iterable[_Drawn], edges: Sequence[Span]) -> Timeline:
    start, end = min(edge.start_ns for edge in edges), max(edge.end_ns for edge in edges)
    length = max(1, end - start)
    drawn = [_row(row, start, length) for row in rows]
    return Timeline(seconds=length / SECOND, rows=drawn[:ROWS], more=max(0, len(drawn) - ROWS))


def _row(row: _Drawn, start_ns: int, length_ns: int) -> Row:
    """With the lines of its first span, which it is named after."""
    bars = [_bar(span, kind, start_ns, length_ns) for span, kind in row.spans]
    return Row(name=row.name, bars=bars, says=row.says, logged=row.spans[0][0].logged)


def _bar(span: Span, kind: str, start_ns: int, length_ns: int) -> Bar:
    """A bar that stays within what it is drawn against, whatever the span says."""
    left = min(max(0.0, 100 * (span.start_ns - start_ns) / length_ns), 100 - LEAST)
    right = min(100.0, 100 * (span.end_ns - start_ns) / length_ns)
    return Bar(kind=kind, left=round(left, 2), width=round(max(LEAST, right - left), 2), says=span.says)


def _drill(drill: DrillRecord, longest_ns: int, *, seeded: bool) -> Row:
    fail, lift = drill.marks.fail or 0, drill.marks.lift or 0
    spans = [(Span(row="", start_ns=fail, end_ns=lift, says="the fault"), "bad")]
    if drill.marks.restored:
        spans.append((Span(row="", start_ns=lift, end_ns=drill.marks.restored, says="recovery"), "step"))
    bars = [_bar(span, kind, fail, longest_ns) for span, kind in spans]
    name = f"{drill.name}, seed {drill.seed}" if seeded else drill.name
    return Row(name=name, bars=bars, says=_recovered(drill))


def _recovered(drill: DrillRecord) -> str:
    took = drill.recovery_seconds
    return "did not recover" if took is None else f"recovered in {took:.1f} s, {drill.within:g} s allowed"


def _ends(drill: DrillRecord) -> int:
    return max(drill.marks.lift or 0, drill.marks.restored or 0)


def _lasted(span: Span) -> str:
    seconds = (span.end_ns - span.start_ns) / SECOND
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.1f} min"
