"""A journal on a disk that is full: its epochs before and after it is opened. Run as a process by the tests.

Arguments: the disk's folder, how many sealed segments it has, and whether the last run was killed.
"""

import json
import os
import sys
from contextlib import suppress
from pathlib import Path

from himari_runtime.messages import Kind, Record, Route
from himari_runtime.transport.journal import Journal
from himari_runtime.transport.segments import segments
from himari_runtime.venues.own import route_own
from tests.unit.runtime.made import journal_settings

RECORD_BYTES = 50_000
PAGE_BYTES = 4096
ROUTE = Route("md:toy:_:meta", "_", "control")


def route(record: Record) -> Route:
    """All frames concern the venue."""
    return ROUTE if record.kind == Kind.FRAME else route_own("toy", record)


def opened(folder: Path) -> Journal:
    return Journal.open(journal_settings(folder), "edge", route)


def append(journal: Journal, size: int) -> None:
    journal.append(Kind.FRAME, b"x" * size, line=1, received_ns=1, monotonic_ns=1)


def die(journal: Journal) -> None:
    """As by SIGKILL, at the end of a page: its footer needs another one."""
    head = journal._size
    append(journal, 0)
    append(journal, (head - 2 * journal._size) % PAGE_BYTES)
    journal._keeper._stopping.set()
    journal._keeper._thread.join()
    os.close(journal._lock)


def fill(disk: Path) -> None:
    with (disk / "other").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * PAGE_BYTES):
            pass
    assert not os.statvfs(disk).f_bavail


def main(disk: Path, sealed: int, killed: bool) -> None:
    folder = disk / "journal"
    for _ in range(sealed):
        run = opened(folder)
        append(run, RECORD_BYTES)
        run.close()
    if killed:
        die(opened(folder))
    before = [segment.epoch for segment in segments(folder)]
    fill(disk)
    run = opened(folder)
    append(run, RECORD_BYTES // 2)
    run.close()
    json.dump({"before": before, "after": [segment.epoch for segment in segments(folder)]}, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "killed")
