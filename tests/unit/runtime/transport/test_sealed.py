from itertools import pairwise
from pathlib import Path

import pytest

from himari_runtime.messages import Position
from himari_runtime.transport.sealed import Sealed, Shelf, is_intact, read_footer
from himari_runtime.transport.segments import Segment, segments
from tests.unit.runtime.transport.conftest import OpenJournal, append


@pytest.fixture
def filled(open_journal: OpenJournal, tmp_path: Path) -> Path:
    """A journal of several sealed segments."""
    journal = open_journal(segment_bytes=400)
    for number in range(40):
        append(journal, f"md:toy:BTC/USDT:trades {number}")
    journal.close()
    return tmp_path


def test_sealed_segments_are_listed_in_order_with_their_digests(filled: Path) -> None:
    listed = Shelf(filled).listed()
    assert len(listed) > 3
    assert [sealed.in_folder(filled) for sealed in listed] == segments(filled)
    assert listed[0].first == Position(1, 1)
    assert {after.first_n - before.last_n for before, after in pairwise(listed)} == {1}
    assert all(is_intact(sealed.in_folder(filled), sealed.sha256) for sealed in listed)
    assert [sealed.bytes for sealed in listed] == [segment.path.stat().st_size for segment in segments(filled)]


def test_any_byte_that_changed_shows(filled: Path) -> None:
    sealed = Shelf(filled).listed()[1]
    path = sealed.in_folder(filled).path
    whole = path.read_bytes()
    path.chmod(0o640)
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert not is_intact(sealed.in_folder(filled), sealed.sha256)
    path.write_bytes(whole[:-1])
    assert not is_intact(sealed.in_folder(filled), sealed.sha256)


def test_a_footer_that_is_damaged_leaves_the_segment_listed(filled: Path) -> None:
    segment = segments(filled)[1]
    segment.path.chmod(0o640)
    segment.path.write_bytes(segment.path.read_bytes()[:-5] + b"aaaaa")
    assert read_footer(segment) is None
    assert [sealed.sha256 == "" for sealed in Shelf(filled).listed()[:3]] == [False, True, False]


def test_what_was_dropped_or_is_open_is_not_there(filled: Path) -> None:
    shelf = Shelf(filled)
    first, second = segments(filled)[:2]
    shelf.listed()
    first.path.unlink()
    opened = Segment(filled, 7, 1, None)
    opened.path.write_bytes(b"")
    assert [sealed.first for sealed in shelf.listed()][:1] == [second.first]
    assert shelf.find(second.path.name) == second
    assert shelf.find(first.path.name) is None
    assert shelf.find(opened.path.name) is None


@pytest.mark.parametrize("name", ["", ".", "..", "../epoch", "epoch", "lock", "/etc/passwd", "*", "0" * 5000])
def test_only_a_sealed_segments_own_name_finds_it(filled: Path, name: str) -> None:
    assert Shelf(filled).find(name) is None


@pytest.mark.parametrize(
    ("cursor", "records"), [((0, 9), 11), ((4, 0), 11), ((4, 19), 11), ((4, 20), 10), ((4, 30), 0), ((5, 1), 0)]
)
def test_records_after_a_cursor(cursor: tuple[int, int], records: int) -> None:
    sealed = Sealed(epoch=4, first_n=20, last_n=30, bytes=1, sha256="")
    assert sealed.records_after(Position(*cursor)) == records


def test_what_is_open_is_its_writers_alone_and_what_is_sealed_its_groups(
    open_journal: OpenJournal, tmp_path: Path
) -> None:
    journal = open_journal()
    append(journal, "md:toy:BTC/USDT:trades 1")
    (opened,) = segments(tmp_path)
    mode = opened.path.stat().st_mode & 0o777
    journal.close()
    (sealed,) = segments(tmp_path)
    assert (mode, sealed.path.stat().st_mode & 0o777) == (0o600, 0o440)
