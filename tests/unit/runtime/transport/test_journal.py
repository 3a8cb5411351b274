import errno
import hashlib
import json
import os
import stat
import subprocess
import sys
import tracemalloc
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from himari_runtime.messages import START, Epoch, Gap, Kind, Position, Reason
from himari_runtime.transport import epochs
from himari_runtime.transport.journal import Journal, JournalFullError, JournalInUseError, KeeperFailedError
from himari_runtime.transport.records import scan
from himari_runtime.transport.segments import Footer, footer_frame, read_header, segments
from tests.unit.runtime.transport import small_disk
from tests.unit.runtime.transport.conftest import OpenJournal, append, read_all


def kill(journal: Journal) -> None:
    """What SIGKILL leaves: nothing is sealed, the lock is gone."""
    journal._keeper._stopping.set()
    os.close(journal._lock)


def test_an_epoch_begins_with_its_own_record(open_journal: OpenJournal, tmp_path: Path) -> None:
    first = open_journal()
    assert append(first, "md:a 5") == 2
    first.close()
    second = open_journal()
    second.close()
    began = [msgspec.json.decode(r.payload, type=Epoch) for r in read_all(tmp_path) if r.kind == Kind.EPOCH]
    assert [(e.epoch, e.previous_epoch, e.previous_n) for e in began] == [(1, 0, 0), (2, 1, 2)]
    assert began[1].marks["md:a|trade"].last_id == 5


def test_a_second_collector_is_refused(open_journal: OpenJournal) -> None:
    journal = open_journal()
    with pytest.raises(JournalInUseError, match="another collector"):
        open_journal()
    journal.close()


def test_what_append_returned_survives_a_kill(open_journal: OpenJournal, tmp_path: Path) -> None:
    journal = open_journal()
    append(journal, "md:a 1")
    kill(journal)
    recovered = open_journal()
    assert recovered.previous.last == Position(1, 2)
    assert recovered.previous.marks["md:a|trade"].last_id == 1
    recovered.close()
    assert [r.position for r in read_all(tmp_path)] == [(1, 1), (1, 2), (2, 1)]


def test_an_epochs_first_segment_has_its_name_on_disk_before_anything_is_taken(
    open_journal: OpenJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_disk: set[str] = set()
    sync = os.fsync

    def noted(fd: int) -> None:
        sync(fd)
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            on_disk.update(os.listdir(fd))

    monkeypatch.setattr(os, "fsync", noted)
    journal = open_journal()
    assert [segment.path.name for segment in segments(tmp_path)] == ["00000001-000000000001.open"]
    assert {"epoch", "lock", "00000001-000000000001.open"} <= on_disk
    journal.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(torn=st.binary(max_size=60))
def test_a_torn_tail_is_cut(torn: bytes, open_journal: OpenJournal, tmp_path: Path) -> None:
    for old in segments(tmp_path):
        old.path.unlink()
    journal = open_journal()
    append(journal, "md:a 1")
    with journal._segment.path.open("ab") as file:
        file.write(torn)
    epoch = journal.epoch
    kill(journal)
    recovered = open_journal()
    recovered.close()
    assert [r.position for r in read_all(tmp_path)] == [(epoch, 1), (epoch, 2), (epoch + 1, 1)]


def test_damage_costs_what_it_hit_and_nothing_behind_it(open_journal: OpenJournal, tmp_path: Path) -> None:
    journal = open_journal()
    for number in range(3):
        append(journal, f"md:a {number}")
    kill(journal)
    (segment,) = segments(tmp_path)
    data = segment.path.read_bytes()
    segment.path.write_bytes(data.replace(b"md:a 1", b"md:a x") + b"torn")
    recovered = open_journal()
    assert (recovered.previous.last, recovered.previous.marks["md:a|trade"].last_id) == (Position(1, 4), 2)
    recovered.close()
    assert [r.position for r in read_all(tmp_path)] == [(1, 1), (1, 2), (1, 4), (2, 1)]


def test_a_sealed_segment_tells_its_digest(open_journal: OpenJournal, tmp_path: Path) -> None:
    journal = open_journal()
    append(journal, "md:a 1")
    journal.close()
    (segment,) = segments(tmp_path)
    data = segment.path.read_bytes()
    last = scan(data, 1).records[-1]
    footer = msgspec.json.decode(last.payload, type=Footer)
    body = data[: -len(footer_frame(footer))]
    assert footer == Footer(records=2, last_n=2, sha256=hashlib.sha256(body).hexdigest())
    assert segment.path.name == "00000001-000000000001-000000000002.seg"
    assert segment.path.stat().st_mode & 0o777 == 0o440


def test_neither_sealing_nor_recovery_takes_a_segment_into_memory(open_journal: OpenJournal, tmp_path: Path) -> None:
    journal = open_journal(segment_bytes=64 << 20)
    text = "md:" + "a" * 1000 + " "
    for number in range(16_000):
        append(journal, text + str(number))
    kill(journal)
    size = segments(tmp_path)[0].path.stat().st_size
    tracemalloc.start()
    try:
        following = open_journal()
        recovered, _ = tracemalloc.get_traced_memory()[1], tracemalloc.reset_peak()
        following.close()
        closed = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size > 16_000_000
    assert following.previous.last == Position(1, 16_001)
    assert max(recovered, closed) < size / 4


def test_age_rotates_and_headers_carry_the_marks(open_journal: OpenJournal, tmp_path: Path) -> None:
    journal = open_journal(segment_seconds=1)
    start = journal._opened_ns
    append(journal, "md:a 5", start)
    append(journal, "md:a 6", start + 2_000_000_000)
    journal.close()
    assert [(s.first_n, s.last_n) for s in segments(tmp_path)] == [(1, 2), (3, 3)]
    header = read_header(segments(tmp_path)[1])
    assert header is not None
    assert (header.marks["md:a|trade"].n, header.marks["md:a|trade"].last_id) == (2, 5)


def test_retention_goes_by_order_and_size(open_journal: OpenJournal, tmp_path: Path) -> None:
    journal = open_journal(segment_bytes=500, max_bytes=3000)
    for number in range(200):
        append(journal, f"md:a {number}")
    journal.close()
    kept = segments(tmp_path)
    assert sum(s.path.stat().st_size for s in kept) <= 3000
    assert kept[-1].last_n == 201
    assert [b.first_n for b in kept[1:]] == [(a.last_n or 0) + 1 for a in kept[:-1]]


def test_a_full_disk_costs_the_oldest_segment(
    open_journal: OpenJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        open_journal().close()
    journal = open_journal()
    room = [0, 10]  # bytes that the disk takes of the next writes, the last first; then all
    write = os.write

    def full(fd: int, data: bytes) -> int:
        taken = room.pop() if room else len(data)
        if not taken:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data[:taken])

    monkeypatch.setattr(os, "write", full)
    append(journal, "md:a 1")
    monkeypatch.undo()
    journal.close()
    assert [r.position for r in read_all(tmp_path)] == [(3, 1), (3, 2)]


def test_a_disk_full_of_other_things_is_told(open_journal: OpenJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = open_journal()

    def full(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(JournalFullError, match="no space left"):
        append(journal, "md:a 1")
    monkeypatch.undo()
    assert append(journal, "md:a 1") == 2
    journal.close()


def on_a_full_disk(root: Path, sealed: int, end: str) -> subprocess.CompletedProcess[str]:
    """`small_disk` in 2 MB of their own, which nobody else sees."""
    script = f"mount -t tmpfs -o size=2m none {root} && exec {sys.executable} -m {small_disk.__name__}"
    command = ("unshare", "--mount", "sh", "-c", f"{script} {root} {sealed} {end}")
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(("sealed", "end"), [(1, "killed"), (3, "killed"), (6, "killed"), (3, "closed"), (6, "closed")])
def test_a_start_on_a_full_disk_costs_the_oldest_segments(tmp_path: Path, sealed: int, end: str) -> None:
    done = on_a_full_disk(tmp_path, sealed, end)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["before"] == list(range(1, len(told["before"]) + 1))
    assert len(told["before"]) == sealed + (end == "killed")
    assert told["after"] == list(range(told["after"][0], len(told["before"]) + 2))
    assert 1 < told["after"][0] <= 3


def test_a_start_on_a_disk_full_of_other_things_is_told(tmp_path: Path) -> None:
    done = on_a_full_disk(tmp_path, 0, "killed")
    assert done.stderr.splitlines()[-1].endswith(f"{tmp_path}/journal: no space left, and no sealed segment to drop")


def test_the_last_segment_is_kept_however_full_the_disk(tmp_path: Path) -> None:
    done = on_a_full_disk(tmp_path, 1, "closed")
    assert done.stderr.splitlines()[-1].endswith(f"{tmp_path}/journal: no space left, and no sealed segment to drop")


def test_where_the_journal_ends_is_known_whatever_had_to_go(open_journal: OpenJournal) -> None:
    journal = open_journal(min_free_bytes=1 << 60, segment_bytes=100)
    for n in range(1, 6):
        append(journal, f"md:a {n}")
    journal.close()
    again = open_journal(min_free_bytes=1 << 60)
    assert again.previous.last == Position(1, 6)
    assert again.marks["md:a|trade"].last_id == 5
    again.close()


def test_a_keeper_that_ended_ends_the_appender(open_journal: OpenJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = open_journal()

    def broken(fd: int) -> None:
        raise ValueError("not an error of the disk")

    monkeypatch.setattr(os, "fdatasync", broken)
    journal._keeper._thread.join(10)
    monkeypatch.undo()
    with pytest.raises(KeeperFailedError, match="not an error of the disk"):
        append(journal, "md:a 1")
    journal.close()


def test_the_epoch_passes_all_that_was_seen(open_journal: OpenJournal, tmp_path: Path) -> None:
    open_journal().close()
    (tmp_path / "epoch").unlink()  # the segments' names are left
    open_journal().close()
    epochs.lift(tmp_path, 40)
    epochs.lift(tmp_path, 3)
    journal = open_journal()
    assert (journal.epoch, journal.previous.last) == (41, Position(2, 1))
    journal.close()


def test_an_empty_journal_has_no_past(open_journal: OpenJournal) -> None:
    journal = open_journal()
    assert (journal.previous.last, journal.previous.marks) == (START, {})
    journal.close()


def test_a_run_leaves_its_unfilled_gaps_in_trades_to_the_next(open_journal: OpenJournal) -> None:
    bounds = {"after_ns": 1, "before_ns": 2, "reason": Reason.RECONNECT, "venue": "toy", "symbol": "BTC/USDT"}
    trades = [Gap(channel="trade", after_id=after, before_id=after + 5, **bounds) for after in (10, 20, 30)]
    others = [Gap(channel="depth", after_id=1, before_id=9, **bounds)]
    others.append(Gap(channel="trade", after_id=None, before_id=9, **bounds))
    journal = open_journal()
    for gap in (*trades, *others, msgspec.structs.replace(trades[1], filled=True)):
        journal.append(Kind.GAP, msgspec.json.encode(gap), line=0, received_ns=1, monotonic_ns=1)
    journal.close()
    for _ in range(3):  # the header hands them on
        following = open_journal()
        assert following.previous.unfilled == (trades[0], trades[2])
        following.close()
