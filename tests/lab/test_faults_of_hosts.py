"""Faults of one host of a lab, as it and the others feel them: it hangs, or lacks power, disk or memory."""

import subprocess

import pytest

from himari.lab import faults, lab
from himari.lab.standing import Standing
from himari.stack.errors import HostError
from tests.lab.broken import DISK_GB, inside, outcome, received


def test_a_host_that_hangs_says_nothing_until_it_is_healed(on: Standing) -> None:
    faults.hang(on, "brain")
    faults.hang(on, "brain")
    assert [status.state for status in lab.list_labs() if status.lab == on.lab.id] == ["running", "hung", "running"]
    with pytest.raises(subprocess.TimeoutExpired):
        greeting(on, "edge", "brain", 1)
    with pytest.raises(HostError, match="hangs"):
        faults.power_on(on, "brain")
    assert [str(fault) for fault in faults.heal(on, ["brain"])] == ["hang brain"]
    assert greeting(on, "edge", "brain", 20).startswith("SSH-")


def test_a_host_without_power_is_silent_and_stays_off_until_it_is_healed(on: Standing) -> None:
    for _ in range(2):
        faults.power_off(on, "brain")
    assert received(on, "edge", "brain") == 0
    with pytest.raises(HostError, match="off"):
        faults.hang(on, "brain")
    assert [str(fault) for fault in faults.active(on)] == ["power-off brain"]
    faults.cut(on, "edge", "brain")  # also meets a host that is off
    assert [fault.kind for fault in faults.heal(on)] == ["cut", "cut", "power-off"]
    assert received(on, "edge", "brain") == 3


def test_a_full_disk_is_the_hosts_own_and_takes_nothing_of_this_machines(on: Standing) -> None:
    before = written(on, "edge")
    for leave in (0, 0, 5_000_000, 0):
        faults.fill_disk(on, "edge", leave)
        assert abs(free(on, "edge") - leave) <= 8192
    assert "No space left" in refusal(on, "edge", "cp", "/bin/bash", "/root/copy")
    inside(on, "brain", "cp", "/bin/bash", "/root/copy")
    assert written(on, "edge") - before < 2_000_000
    faults.power_off(on, "edge")
    faults.power_on(on, "edge")
    assert "No space left" in refusal(on, "edge", "cp", "/bin/bash", "/root/copy")
    assert [fault.kind for fault in faults.heal(on)] == ["fill-disk"]
    inside(on, "edge", "cp", "/bin/bash", "/root/copy")
    assert free(on, "edge") > 0.9 * DISK_GB * 10**9


def test_memory_is_bounded_and_given_back(on: Standing) -> None:
    taking = "print(len(bytearray(200_000_000)))"
    greedy = ("systemd-run", "--quiet", "--pipe", "--wait", "python3", "-c", taking)  # of the host's own, not of ours
    faults.limit_memory(on, "edge", 400_000_000)
    assert inside(on, "edge", *greedy) == "200000000"
    faults.limit_memory(on, "edge", 100_000_000)
    assert outcome(on, "edge", *greedy).returncode != 0
    faults.heal(on)
    assert inside(on, "edge", *greedy) == "200000000"


def refusal(on: Standing, host: str, *command: str) -> str:
    done = outcome(on, host, *command)
    assert done.returncode != 0
    return done.stderr


def greeting(on: Standing, host: str, other: str, seconds: float) -> str:
    """What ssh on `other` says first. Raises TimeoutExpired when it says nothing."""
    ask = f"import socket; print(socket.create_connection(('{other}', 22)).recv(99).decode())"
    return outcome(on, host, "python3", "-c", ask, seconds=seconds).stdout


def free(on: Standing, host: str) -> int:
    return int(inside(on, host, "df", "--output=avail", "-B1", "/").split()[-1])


def written(on: Standing, host: str) -> int:
    """The bytes that the host's disk takes of this machine's."""
    return on.files(host).disk.stat().st_blocks * 512
