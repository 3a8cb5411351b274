from pathlib import Path

import pytest

from himari_runtime.messages import START, Position, meta_stream
from himari_runtime.transport.resume import back, resume
from himari_runtime.transport.segments import segments
from tests.unit.runtime.transport.conftest import OpenJournal, append

META = meta_stream("toy")


@pytest.fixture
def folder(open_journal: OpenJournal, tmp_path: Path) -> Path:
    """Segments of 1-2, 3-4, 5-6: streams b, a, b, a, b after the epoch's record."""
    journal = open_journal(segment_seconds=1)
    at = journal._opened_ns
    for turn, text in enumerate(["md:b 1", "md:a 1", "md:b 2", "md:a 2", "md:b 3"]):
        append(journal, text, at + (turn + 1) // 2 * 2_000_000_000)
    journal.close()
    assert [(s.first_n, s.last_n) for s in segments(tmp_path)] == [(1, 2), (3, 4), (5, 6)]
    return tmp_path


@pytest.mark.parametrize(
    ("a", "b", "start"),
    [
        ((1, 5), (1, 6), 5),  # all is there: read on from the newest
        ((1, 3), (1, 4), 5),
        ((1, 3), (1, 2), 3),  # b lacks 4
        ((0, 0), (0, 0), 1),
    ],
)
def test_starts_where_no_stream_lacks_a_record(
    folder: Path, a: tuple[int, int], b: tuple[int, int], start: int
) -> None:
    found = resume(folder, {"md:a": Position(*a), "md:b": Position(*b), META: Position(1, 1) if start > 1 else START})
    assert found.segment is not None
    assert found.segment.first_n == start


def test_knows_each_streams_record_before(folder: Path) -> None:
    found = resume(folder, {"md:a": Position(1, 3), "md:b": Position(1, 4), META: Position(1, 1)})
    assert found.previous == {"md:a": (1, 3), "md:b": (1, 4), META: (1, 1)}


def test_what_the_journal_has_dropped_holds_nobody_back(folder: Path) -> None:
    segments(folder)[0].path.unlink()
    found = resume(folder, {"md:a": Position(1, 3), "md:b": Position(1, 4)})  # META's only record is gone
    assert found.segment is not None
    assert found.segment.first_n == 5


@pytest.mark.parametrize(
    ("floor", "start", "lacking"), [(START, 1, START), ((1, 1), 1, START), ((1, 3), 3, (1, 2)), ((1, 6), 5, (1, 4))]
)
def test_what_lies_before_the_floor_is_left_out_and_told(
    folder: Path, floor: tuple[int, int], start: int, lacking: tuple[int, int]
) -> None:
    found = resume(folder, {}, Position(*floor))
    assert found.segment is not None
    assert (found.segment.first_n, found.lacking) == (start, lacking)


def test_what_is_there_is_not_told_as_lacking(folder: Path) -> None:
    found = resume(folder, {"md:a": Position(1, 3), "md:b": Position(1, 4), META: Position(1, 1)}, Position(1, 6))
    assert found.segment is not None
    assert (found.segment.first_n, found.lacking) == (5, START)


def test_a_header_that_is_damaged_says_nothing_of_what_lacks(folder: Path) -> None:
    newest = segments(folder)[-1].path
    newest.chmod(0o640)
    newest.write_bytes(b"\0" * 20 + newest.read_bytes()[20:])
    found = resume(folder, {})
    assert found.segment is not None
    assert found.segment.first_n == 1


@pytest.mark.parametrize(
    ("records", "cut"),
    [(0, (5, 30)), (29, (5, 1)), (30, (3, 20)), (49, (3, 1)), (50, (1, 7)), (56, (1, 1)), (57, START), (999, START)],
)
def test_windows_cross_epochs(records: int, cut: tuple[int, int]) -> None:
    assert back(Position(5, 30), records, {1: 7, 3: 20, 5: 12}) == cut
