"""An `up` that is stopped, killed, or started twice: the same command goes on, and nothing that it made is lost.

The tests share the stack and run in the order in which they stand."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from himari.apply.waiting import STOPPING
from himari.lab import lab
from himari.runs.journal import Closed, Opened, last_journal
from tests.lab.conftest import HIMARI, STACK, OwnLab


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnLab]:
    edge = OwnLab(tmp_path_factory.mktemp("interrupted"))
    yield edge
    edge.destroy()


def test_an_up_that_was_stopped_or_killed_goes_on(edge: OwnLab) -> None:
    stopped = begun(edge, "create: edge: boots")
    os.killpg(stopped.pid, signal.SIGINT)  # as a terminal does: to the command and all that it started
    told = ended(stopped, 130)
    assert "step: create, after preflight" in told
    assert "resume: himari up lab-edge" in told

    killed = begun(edge, "day01_host: edge:")
    second = edge.himari("up", STACK)
    assert second.returncode == 9
    assert f"`himari up {STACK}` (pid {killed.pid})" in second.stderr
    assert killed.poll() is None, "the second one is to be refused while the first is at work"
    killed.kill()
    ended(killed, -signal.SIGKILL)
    lines = last_journal(edge.state.runs, "up")
    assert isinstance(lines[0], Opened)
    assert not any(isinstance(line, Closed) for line in lines)

    again = begun(edge, "day02_redis: edge:")
    os.killpg(again.pid, signal.SIGINT)
    told = ended(again, 130)
    assert f"day02_redis: edge: {STOPPING}" in told
    assert "resume: himari up lab-edge" in told

    report = edge.up()
    assert report.green
    assert report.ledger is not None
    assert (report.ledger.lost, report.ledger.invented) == (0, 0)


# What a proof leaves for whoever reads it, also when its hosts are gone.
PROOF = ("evidence.json", "evidence.xml", "evidence.html", "validate.log", "logs")
# Where a destroy is cut off: before it did anything, a moment or more into the lab, and with all hosts gone.
CUTS = (
    ("hosts: started", 0.0),
    ("lab: started", 0.3),
    ("lab: green", 0.0),
)


def test_a_destroy_that_was_cut_off_is_told_by_all_verbs_and_finished_by_the_same_command(edge: OwnLab) -> None:
    for line, seconds in CUTS:
        if (line, seconds) != CUTS[0]:  # which falls upon the whole stack of the test before
            made = begun(edge, "contact: green")
            made.kill()
            ended(made, -signal.SIGKILL)
        cut = begun(edge, line, "destroy", "--yes")
        time.sleep(seconds)  # the cut is to fall anywhere: whatever it hits must be told and mended
        cut.kill()
        ended(cut, -signal.SIGKILL)
        for verb, code in (("status", 7), ("validate", 4), ("drift", 4)):
            told = edge.himari(verb, STACK)
            assert told.returncode == code, (line, verb, told.stderr)
            said = told.stdout + told.stderr
            assert "half destroyed: `himari destroy lab-edge --yes`" in said
            assert "himari destroy lab-edge finishes it; himari up lab-edge builds it again" in said
            assert "Traceback" not in said
        if seconds:
            continue  # the next `up` begins with what is left
        done = edge.himari("destroy", STACK, "--yes")
        assert done.returncode == 0, done.stderr
        assert "left: nothing" in done.stdout
        assert lab.remains(STACK, edge.state) == []
        assert {path.name for path in edge.state.path.iterdir()} <= {"lock", "runs", *PROOF}
        assert "half destroyed" not in edge.himari("status", STACK).stdout


def begun(edge: OwnLab, line: str, verb: str = "up", *options: str) -> subprocess.Popen[str]:
    """A run of `verb` that has just said `line`."""
    up = subprocess.Popen(
        (HIMARI, verb, STACK, *options),
        env=edge.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert up.stderr is not None
    said = []
    for said_line in up.stderr:
        said.append(said_line)
        if said_line.startswith(line):
            return up
    raise AssertionError(f"never said {line!r}: {''.join(said)}")


def ended(up: subprocess.Popen[str], exit_code: int) -> str:
    """What it still said, once it has ended so."""
    _, told = up.communicate(timeout=90)
    assert up.returncode == exit_code, told
    assert "Traceback" not in told
    return told
