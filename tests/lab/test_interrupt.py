"""An `up` that is stopped, killed, or started twice: the same command goes on, and nothing that it made is lost."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from himari.apply import ssh
from himari.lab import lab
from himari.runs.journal import Closed, Opened, last_journal
from himari.stack.known import read_known
from tests.lab.conftest import HIMARI, STACK, LabEdge


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[LabEdge]:
    edge = LabEdge(tmp_path)
    yield edge
    ssh.close(read_known(edge.state.hosts), edge.state)
    assert lab.destroy(STACK, edge.state) == []


def test_an_up_that_was_stopped_or_killed_goes_on(edge: LabEdge) -> None:
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

    again = begun(edge, "day02_redis: started")
    os.kill(again.pid, signal.SIGINT)
    told = ended(again, 130)
    assert "resume: himari up lab-edge" in told

    report = edge.up()
    assert report.green
    assert report.ledger is not None
    assert (report.ledger.lost, report.ledger.invented) == (0, 0)


def begun(edge: LabEdge, line: str) -> subprocess.Popen[str]:
    """An `up` that has just said `line`."""
    up = subprocess.Popen(
        (HIMARI, "up", STACK),
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
