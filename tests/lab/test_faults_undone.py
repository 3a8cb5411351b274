"""What is left of a lab's faults: nothing of one that is refused, healed, or whose caller was killed; and the lab goes.

The last test takes away the hosts that the modules of `test_faults_*` share."""

import os
import random
import re
import subprocess
import sys
import time

import pytest

from himari.lab import faults, lab
from himari.lab.identity import labs_root
from himari.lab.standing import Standing
from himari.stack.errors import CapacityError, HostError, StackFileError
from himari.stack.paths import PROJECT
from tests.lab.broken import DISK_GB, STACK, fastest_ms, printed, received, relays
from tests.lab.conftest import HIMARI

# Faults and healings without end, for a caller that is killed in the midst of them.
RESTLESS = """
import sys
from pathlib import Path
from himari.lab import faults
from himari.lab.standing import standing
from himari.stack.paths import StateDir
on = standing(sys.argv[1], StateDir(Path(sys.argv[2])))
print(flush=True)
while True:
    faults.delay(on, "edge", "brain", 5)
    faults.rate(on, "edge", "brain", 1_000_000)
    faults.fill_disk(on, "edge")
    faults.heal(on)
"""


def test_what_cannot_be_is_refused_and_changes_nothing(on: Standing) -> None:
    with pytest.raises(StackFileError, match="same host"):
        faults.cut(on, "edge", "edge")
    with pytest.raises(StackFileError, match="share"):
        faults.loss(on, "edge", "brain", 0)
    with pytest.raises(StackFileError, match="delay"):
        faults.delay(on, "edge", "brain", 0)
    with pytest.raises(StackFileError, match="rate"):
        faults.rate(on, "edge", "brain", 10)
    with pytest.raises(StackFileError, match="memory"):
        faults.limit_memory(on, "edge", 1000)
    with pytest.raises(CapacityError, match="less free"):
        faults.fill_disk(on, "edge", DISK_GB * 10**9)
    with pytest.raises(HostError, match="no such host"):
        faults.heal(on, ["nobody"])
    assert faults.active(on) == ()


def test_healing_one_host_leaves_the_faults_of_others(on: Standing) -> None:
    faults.cut(on, "edge", "brain")
    faults.cut(on, "edge", "exchange", one_way=True)
    faults.hang(on, "exchange")
    assert {str(fault) for fault in faults.heal(on, ["brain"])} == {"cut edge -> brain", "cut brain -> edge"}
    assert {str(fault) for fault in faults.active(on)} == {"cut edge -> exchange", "hang exchange"}


def test_a_caller_that_is_killed_leaves_nothing_that_heal_does_not_end(on: Standing) -> None:
    argv = (sys.executable, "-c", RESTLESS, STACK, str(on.state.path))
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as caller:
        assert caller.stdout is not None
        caller.stdout.readline()
        time.sleep(seconds := random.uniform(0.0, 2.0))  # the moment itself is what is tried
        caller.kill()
    faults.heal(on)
    faults.delay(on, "edge", "brain", 10)
    assert fastest_ms(on, "edge", "brain") >= 20, f"killed after {seconds:.2f} s"
    faults.heal(on)
    assert (faults.active(on), relays(on)) == ((), [])
    assert received(on, "edge", "brain") == 3


def test_the_pages_commands_break_and_heal_the_lab(on: Standing) -> None:
    page = (PROJECT / "docs" / "breaking-the-lab.md").read_text()
    block = re.findall(r"^```console\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[0]
    for line in block.splitlines():
        words = line.partition("  #")[0].split()
        assert words[:2] == ["himari", "lab"]
        done = subprocess.run((HIMARI, *words[1:]), env=environment(on), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout
    assert faults.active(on) == ()


def test_destroy_undoes_every_fault(broken_hosts: Standing) -> None:
    faults.cut(broken_hosts, "edge", "exchange")
    faults.loss(broken_hosts, "edge", "brain", 10)
    faults.delay(broken_hosts, "edge", "brain", 10)
    faults.rate(broken_hosts, "edge", "brain", 1_000_000)
    faults.fill_disk(broken_hosts, "edge", 1_000_000)
    faults.limit_memory(broken_hosts, "edge", 400_000_000)
    faults.hang(broken_hosts, "edge")
    faults.power_off(broken_hosts, "exchange")
    assert len(faults.active(broken_hosts)) == 12
    assert len(trace(broken_hosts)) > 10
    assert lab.destroy(STACK, broken_hosts.state) == []
    assert trace(broken_hosts) == []


def trace(on: Standing) -> list[str]:
    """Whatever bears the lab's id, looked for without any of the lab's own code."""
    looks = (
        ("cat", "/proc/self/mountinfo"),
        ("ip", "-o", "link"),
        ("ip", "netns", "list"),
        ("nft", "list", "tables"),
        ("losetup", "--list", "--noheadings", "--output", "BACK-FILE"),
        ("ps", "-eo", "args"),
        ("ls", str(labs_root())),
        ("find", "/sys/fs/cgroup", "/run/himari", "/run/systemd/nspawn", "-name", f"{on.lab.id}*"),
    )
    lines = [line for look in looks for line in printed(*look).splitlines()]
    return [line for line in lines if on.lab.id in line and not line.startswith("find ")]


def environment(on: Standing) -> dict[str, str]:
    return os.environ | {"HIMARI_STATE": str(on.state.path.parent)}
