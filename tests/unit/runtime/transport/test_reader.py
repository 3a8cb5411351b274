import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from himari_runtime.messages import Position, Record
from himari_runtime.transport.journal import Journal
from himari_runtime.transport.reader import JournalReader
from himari_runtime.transport.records import BODY, FRAME
from himari_runtime.transport.segments import segments
from tests.unit.runtime.transport.conftest import OpenJournal, append, read_all


def test_follows_the_journal_as_it_grows_and_rotates(open_journal: OpenJournal, tmp_path: Path) -> None:
    journal = open_journal(segment_bytes=600)
    reader = JournalReader(tmp_path, Position(0, 0))
    seen = [record.n for record in reader.read()]
    for number in range(100):
        append(journal, f"md:a {number}")
        if number % 7 == 0:
            seen += [record.n for record in reader.read()]
    while records := reader.read(100):
        seen += [record.n for record in records]
    assert seen == list(range(1, 102))
    assert reader.read() == []
    reader.close()
    journal.close()


def test_starts_anywhere(open_journal: OpenJournal, tmp_path: Path) -> None:
    journal = open_journal(segment_bytes=600)
    for number in range(50):
        append(journal, f"md:a {number}")
    journal.close()
    for after in (0, 1, 20, 50):
        reader = JournalReader(tmp_path, Position(1, after))
        assert reader.read(1 << 20)[0].n == after + 1
        reader.close()


def test_a_dropped_start_gives_the_oldest_left(open_journal: OpenJournal, tmp_path: Path) -> None:
    journal = open_journal(segment_bytes=600)
    for number in range(50):
        append(journal, f"md:a {number}")
    journal.close()
    segments(tmp_path)[0].path.unlink()
    reader = JournalReader(tmp_path, Position(1, 1))
    assert reader.read()[0].n == segments(tmp_path)[0].first_n
    reader.close()


def test_a_frame_larger_than_the_read_comes_whole(open_journal: OpenJournal, tmp_path: Path) -> None:
    journal = open_journal()
    append(journal, "md:" + "a" * 10_000 + " 1")
    reader = JournalReader(tmp_path, Position(1, 1))
    assert [len(record.payload) for record in reader.read(100)] == [10_005]
    reader.close()
    journal.close()


def test_damage_costs_the_rest_of_a_segment_only(open_journal: OpenJournal, tmp_path: Path) -> None:
    journal = open_journal(segment_bytes=600)
    for number in range(50):
        append(journal, f"md:a {number}")
    journal.close()
    damaged, following = segments(tmp_path)[1:3]
    damaged.path.chmod(0o640)
    data = bytearray(damaged.path.read_bytes())
    data[-300] ^= 255
    damaged.path.write_bytes(data)
    reader = JournalReader(tmp_path, Position(0, 0))
    seen: list[int] = []
    while records := reader.read():
        seen += [record.n for record in records]
    reader.close()
    assert seen == sorted(set(seen))
    assert set(range(1, 52)) - set(seen) <= set(range(damaged.first_n, following.first_n))
    assert len(seen) < 51
    assert seen[-1] == 51


def test_damage_costs_no_more_than_the_records_that_it_hit(open_journal: OpenJournal, tmp_path: Path) -> None:
    journal = open_journal()
    for number in range(1, 201):
        append(journal, f"md:a {number}")
    journal.close()
    whole = read_all(tmp_path)
    (segment,) = tmp_path.glob("*.seg")
    content = bytearray(segment.read_bytes())
    first, second = content.index(b"md:a 50"), content.index(b"md:a 120")
    content[first] ^= 0xFF  # a payload
    content[second - BODY.size - FRAME.size + 1] ^= 0xFF  # a length, so that the frame seems to go beyond the file
    segment.chmod(0o640)
    segment.write_bytes(content)
    before = damaged_places()
    kept = [record for record in whole if record.payload not in {b"md:a 50", b"md:a 120"}]
    assert read_all(tmp_path) == kept
    assert len(kept) == len(whole) - 2
    assert damaged_places() - before == 2


def damaged_places() -> float:
    return REGISTRY.get_sample_value("himari_journal_damage_total") or 0.0


def test_an_idle_reader_does_not_list_the_folder_again(
    open_journal: OpenJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = open_journal()
    reader = JournalReader(tmp_path, Position(0, 0))
    os.utime(tmp_path, (1, 1))
    assert [record.n for record in reader.read()] == [1]
    assert reader.read() == []
    listed = 0

    def listing(path: Path) -> Iterator[Path]:
        nonlocal listed
        listed += 1
        return iterdir(path)

    iterdir = Path.iterdir
    monkeypatch.setattr(Path, "iterdir", listing)
    for _ in range(100):
        assert reader.read() == []
    assert listed == 0
    journal.close()  # seals, which renames
    assert [record.n for record in follow(reader, open_journal())] == [1]
    assert listed > 0


def follow(reader: JournalReader, journal: Journal) -> list[Record]:
    """What a second run adds."""
    found = reader.read()
    journal.close()
    reader.close()
    return found
