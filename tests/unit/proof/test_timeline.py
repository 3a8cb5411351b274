"""Timelines stay within their frame whatever is drawn, and say in words what the bars show."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from himari.proof.course import Course, Span
from himari.proof.evidence import Marks
from himari.proof.timeline import drill_timeline, run_timeline, window_timeline
from tests.unit.proof.samples import drilled

SECOND = 1_000_000_000
COURSE = Course(start_ns=0, end_ns=20 * SECOND, step_ns=SECOND, lines=[], faults=[], gaps=[], rates=[], delays=[])
DRILL = drilled(within=3.0, marks=Marks(fail=SECOND, lift=3 * SECOND, restored=5 * SECOND), recovery_seconds=2.0)


@given(start=st.integers(-(2**62), 2**62), length=st.integers(0, 2**60))
def test_a_bar_stays_within_its_track(start: int, length: int) -> None:
    span = Span(row="gap", start_ns=start, end_ns=start + length)
    drawn = window_timeline(msgspec.structs.replace(COURSE, gaps=[span]))
    assert drawn
    bar = drawn.rows[0].bars[0]
    assert bar.left >= 0
    assert bar.width > 0
    assert bar.left + bar.width <= 100.01


def test_a_run_shows_its_steps_one_after_the_other() -> None:
    steps = [
        Span(row="look", start_ns=0, end_ns=SECOND),
        Span(row="proof", start_ns=SECOND, end_ns=4 * SECOND, bad=True),
    ]
    drawn = run_timeline(steps)
    assert drawn
    assert [(row.name, row.says, row.bars[0].left, row.bars[0].kind) for row in drawn.rows] == [
        ("look", "1.0 s", 0.0, "step"),
        ("proof", "3.0 s", 25.0, "bad"),
    ]
    assert drawn.seconds == 4.0


def test_a_drill_shows_its_fault_and_its_recovery_to_the_scale_of_the_longest() -> None:
    twice = msgspec.structs.replace(DRILL, marks=Marks(fail=0, lift=8 * SECOND), recovery_seconds=None)
    drawn = drill_timeline([DRILL, twice])
    assert drawn
    assert [[(bar.kind, bar.left, bar.width) for bar in row.bars] for row in drawn.rows] == [
        [("bad", 0.0, 25.0), ("step", 25.0, 25.0)],
        [("bad", 0.0, 100.0)],
    ]
    assert [row.says for row in drawn.rows] == ["recovered in 2.0 s, 3 s allowed", "did not recover"]


def test_runs_of_one_drill_show_their_seeds_and_those_beyond_what_can_be_read_are_counted() -> None:
    again = msgspec.structs.replace(DRILL, seed=8)
    drawn = drill_timeline([DRILL, again, msgspec.structs.replace(DRILL, name="stall")])
    assert drawn
    assert [row.name for row in drawn.rows] == ["line-cut, seed 7", "line-cut, seed 8", "stall"]
    many = drill_timeline([msgspec.structs.replace(DRILL, seed=seed) for seed in range(100)])
    assert many
    assert 0 < many.more == 100 - len(many.rows)


def test_a_window_shows_a_fault_with_what_recovery_took_and_that_there_was_none() -> None:
    faults = [Span(row=name, start_ns=4 * SECOND, end_ns=6 * SECOND) for name in ("line-cut", "stall", "other")]
    lost = msgspec.structs.replace(DRILL, name="stall", marks=Marks(fail=4 * SECOND), recovery_seconds=None)
    back = msgspec.structs.replace(DRILL, marks=Marks(fail=4 * SECOND, lift=5 * SECOND, restored=8 * SECOND))
    drawn = window_timeline(msgspec.structs.replace(COURSE, faults=faults), [back, lost])
    assert drawn
    assert [(row.name, [(bar.kind, bar.left, bar.width) for bar in row.bars], row.says) for row in drawn.rows] == [
        ("line-cut", [("bad", 20, 10), ("step", 30, 10)], "made on purpose, 2.0 s; recovered in 2.0 s, 3 s allowed"),
        ("stall", [("bad", 20, 10)], "made on purpose, 2.0 s; did not recover"),
        ("other", [("bad", 20, 10)], "made on purpose, 2.0 s"),
    ]


def test_what_is_not_known_is_not_drawn() -> None:
    undone = msgspec.structs.replace(DRILL, marks=Marks())
    assert [run_timeline([]), window_timeline(None), window_timeline(COURSE), drill_timeline([undone])] == [None] * 4


def test_rows_beyond_what_can_be_read_are_counted() -> None:
    gaps = [Span(row=f"gap {n}", start_ns=0, end_ns=1) for n in range(100)]
    drawn = window_timeline(msgspec.structs.replace(COURSE, gaps=gaps))
    assert drawn
    assert len(drawn.rows) + drawn.more == 100
    assert drawn.more > 0
