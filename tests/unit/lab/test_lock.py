"""A lock outlives its driver until the driver's last command ended."""

import subprocess
import sys
from pathlib import Path

import pytest

from himari.lab.lock import held
from himari.stack.errors import LockedError, MachineError

DRIVER = """
import sys
from pathlib import Path
from himari.lab.lock import held
with held(Path(sys.argv[1])) as lock:
    lock.run(("sh", "-c", "echo started >&2; touch $0; read _ <$1", sys.argv[2], sys.argv[3]))
"""


def test_a_second_holder_is_refused(tmp_path: Path) -> None:
    with held(tmp_path / "lock"), pytest.raises(LockedError), held(tmp_path / "lock", 0.05):
        raise AssertionError("held twice")


def test_a_forgotten_lock_can_be_taken_anew(tmp_path: Path) -> None:
    with held(tmp_path / "lock") as lock:
        lock.forget()
        assert not (tmp_path / "lock").exists()
    with held(tmp_path / "lock") as again:
        assert again.path.exists()


def test_a_failing_command_says_what_it_said(tmp_path: Path) -> None:
    with held(tmp_path / "lock") as lock, pytest.raises(MachineError) as caught:
        lock.run(("sh", "-c", "echo no such device >&2; exit 3"))
    assert "ended with 3" in caught.value.what
    assert "no such device" in caught.value.hint


def test_a_killed_drivers_command_still_holds_the_lock(tmp_path: Path) -> None:
    lock, started, fifo = tmp_path / "lock", tmp_path / "started", tmp_path / "fifo"
    subprocess.run(("mkfifo", str(fifo)), check=True)
    argv = (sys.executable, "-c", DRIVER, str(lock), str(started), str(fifo))
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL) as driver:
        while not started.exists():
            assert driver.poll() is None
        driver.kill()
    with pytest.raises(LockedError), held(lock, 0.1):
        raise AssertionError("the orphan's lock was taken")
    fifo.write_text("go on\n")
    with held(lock, 5.0) as ours:
        assert ours.path == lock
