"""One run at a time: proven with processes of their own, as a lock is between processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from himari.runs.lock import hold, read_holder
from himari.stack.errors import LockedError

HOLD = """
import sys
from pathlib import Path
from himari.runs.lock import hold
with hold(Path(sys.argv[1]), ("himari", "up", "tokyo")):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder_process(path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_process_is_refused_and_told_who_holds_the_stack(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holder_process(path) as other:
        with pytest.raises(LockedError) as refused, hold(path, ("himari", "destroy", "tokyo")):
            pass
        noted = read_holder(path)
    assert noted is not None
    assert noted.pid == other.pid
    assert refused.value.exit_code == 9
    assert f"`himari up tokyo` (pid {other.pid}), since {noted.started}" in refused.value.what


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holder_process(path) as other:
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
        with hold(path, ("himari", "up", "tokyo")) as holder:
            assert holder.pid == os.getpid()


@pytest.mark.parametrize("ending", [KeyboardInterrupt, RuntimeError])
def test_a_run_that_did_not_end_well_leaves_no_note(tmp_path: Path, ending: type[BaseException]) -> None:
    path = tmp_path / "lock"
    with pytest.raises(ending), hold(path, ("himari", "up", "tokyo")):
        raise ending
    assert read_holder(path) is None


def test_a_note_of_a_run_that_is_gone_names_nobody(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holder_process(path) as killed:
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
    noted = path.read_bytes()
    assert str(killed.pid).encode() in noted
    # Between taking the lock and writing its own note, a run's predecessor is still noted.
    with holder_process(path):
        path.write_bytes(noted)
        with pytest.raises(LockedError) as refused, hold(path, ("himari", "up", "tokyo")):
            pass
    assert str(killed.pid) not in f"{refused.value} {refused.value.hint}"
    assert f"fuser {path}" in refused.value.hint


def test_a_number_that_another_process_has_now_is_not_the_holders(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with hold(path, ("himari", "up", "tokyo")) as holder:
        path.write_bytes(msgspec.json.encode(msgspec.structs.replace(holder, born=holder.born - 1)))
        assert read_holder(path) is None


def test_a_refused_process_does_not_change_the_note(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holder_process(path) as other:
        for _ in range(2):
            with pytest.raises(LockedError, match=f"pid {other.pid}"), hold(path, ("himari", "up", "tokyo")):
                pass


def test_the_lock_is_free_again_after_the_block(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    for _ in range(2):
        with hold(path, ("himari", "up", "tokyo")):
            pass
    assert read_holder(path) is None
