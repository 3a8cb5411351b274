"""A segment is sealed in the end, whichever of the disk's refusals came between."""

import errno
import os
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from himari_runtime.messages import Kind
from himari_runtime.transport.records import encode
from himari_runtime.transport.sealed import is_intact, read_footer
from himari_runtime.transport.sealing import Extent, extent, seal
from himari_runtime.transport.segments import Header, Segment, header_frame, segments
from tests.unit.runtime.transport.conftest import OpenJournal, append, read_all

NOBODY = 65534
HEADER = header_frame(Header(epoch=1, first_n=1, source="edge"))
RECORD = encode(Kind.FRAME, b"md:a 1", line=1, n=1, received_ns=1, monotonic_ns=1)


def written(folder: Path, *frames: bytes) -> Segment:
    """An open segment."""
    segment = Segment(folder, 1, 1, None)
    segment.path.write_bytes(b"".join((HEADER, *frames)))
    return segment


@contextmanager
def folders_fail() -> Iterator[threading.Event]:
    """No folder is synced; set once one should have been."""
    refused = threading.Event()

    def sync(fd: int) -> None:
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            refused.set()
            raise OSError(errno.EIO, "Input/output error")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", sync)
        yield refused


@contextmanager
def ordinary_user(folder: Path) -> Iterator[None]:
    """For whom a file's mode counts; `folder` is his."""
    if os.geteuid():
        yield
        return
    os.chown(folder, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("frames", [(RECORD,), ()], ids=["records", "none"])
def test_a_folder_that_was_not_synced_is_synced_when_it_is_sealed_again(
    tmp_path: Path, frames: tuple[bytes, ...]
) -> None:
    segment = written(tmp_path, *frames)
    found = extent(segment)
    with folders_fail(), pytest.raises(OSError, match="Input/output"):
        seal(segment, found)
    sealed = seal(segment, found)
    assert segments(tmp_path) == ([sealed] if frames else [])


def test_what_was_dropped_meanwhile_is_done(tmp_path: Path) -> None:
    segment = written(tmp_path, RECORD)
    found = extent(segment)
    with folders_fail(), pytest.raises(OSError, match="Input/output"):
        seal(segment, found)
    segments(tmp_path)[0].path.unlink()
    seal(segment, found)
    assert segments(tmp_path) == []


def test_a_rename_that_failed_is_made_again_by_who_may_write_only_what_is_writable() -> None:
    with tempfile.TemporaryDirectory() as root, ordinary_user(Path(root)):
        segment = written(Path(root), RECORD)
        found = extent(segment)
        in_the_way = Segment(segment.folder, 1, 1, found.last_n).path
        in_the_way.mkdir()
        with pytest.raises(IsADirectoryError):
            seal(segment, found)
        in_the_way.rmdir()
        sealed = seal(segment, found)
        assert sealed is not None
        footer = read_footer(sealed)
        assert footer is not None
        assert is_intact(sealed, footer[0].sha256)
        assert sealed.path.stat().st_mode & 0o777 == 0o440
        assert extent(sealed) == Extent(1, 1, found.end)


def test_the_keeper_goes_on_after_a_folder_that_was_not_synced(open_journal: OpenJournal, tmp_path: Path) -> None:
    journal = open_journal(segment_bytes=400)
    with folders_fail() as refused:
        for _ in range(20):
            append(journal, "md:a 1")
        assert refused.wait(10)
    last = append(journal, "md:a 1")
    journal.close()
    assert {segment.last_n is None for segment in segments(tmp_path)} == {False}
    assert [record.n for record in read_all(tmp_path)] == list(range(1, last + 1))
    assert not journal._keeper._full
