"""Ctrl-C: the first lets a run close what it has open, the same stop twice is one, a later one ends it at once."""

import signal
import subprocess
import sys
import time

HELD = """
import signal, sys
from himari.cli.failure import guarded

def work():
    try:
        print("works", flush=True)
        while True:
            signal.pause()
    finally:
        print("closes", flush=True)
        {after}

sys.exit(guarded(["up", "lab-edge"], work))
"""


def started(after: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        (sys.executable, "-c", HELD.format(after=after)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert said(process) == "works"
    return process


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_ctrl_c_ends_with_130_and_the_command_that_goes_on() -> None:
    process = started("pass")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert out == "closes\n"
    assert err.splitlines() == ["himari: stopped", "  resume: himari up lab-edge"]


def test_one_stop_that_arrives_twice_is_one() -> None:
    process = started("sys.stdin.readline()")
    process.send_signal(signal.SIGTERM)
    assert said(process) == "closes"
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate("closed\n", timeout=20)
    assert process.returncode == 130
    assert "resume: himari up lab-edge" in err


def test_a_second_ctrl_c_ends_a_run_that_does_not_close() -> None:
    process = started("while True: signal.pause()")
    process.send_signal(signal.SIGINT)
    assert said(process) == "closes"
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGINT
