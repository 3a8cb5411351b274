import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from himari.apply.agent.alone import alone
from himari.apply.agent.places import Places

HOLD = (
    "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); input()"
)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(run=tmp_path / "run")


def holder(places: Places) -> subprocess.Popen[str]:
    places.run.mkdir(exist_ok=True)
    argv = [sys.executable, "-c", HOLD, str(places.run / "lock")]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_an_orphan_is_waited_for_and_that_is_said(places: Places, capfd: pytest.CaptureFixture[str]) -> None:
    with holder(places) as orphan:
        ending = threading.Timer(0.4, orphan.kill)
        ending.start()
        with alone(places) as ours:
            assert ours
            assert orphan.wait() == -signal.SIGKILL
    assert capfd.readouterr().err == "himari: waits for an earlier activation to end\n"


def test_patience_ends(places: Places) -> None:
    with holder(places) as orphan:
        with alone(places, patience=0.1) as ours:
            assert not ours
        orphan.kill()


def test_nobody_is_waited_for_in_silence(places: Places, capfd: pytest.CaptureFixture[str]) -> None:
    with alone(places) as ours:
        assert ours
    with alone(places) as again:
        assert again
    assert capfd.readouterr().err == ""


def test_whoever_waited_for_a_strip_puts_nothing_there_any_more(places: Places) -> None:
    with holder(places) as strip:

        def end() -> None:
            (places.run / "lock").unlink()
            strip.kill()

        threading.Timer(0.4, end).start()
        with alone(places) as ours:
            assert not ours
