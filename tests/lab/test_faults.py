"""Each fault of a lab, as the hosts feel it: in force once the call returns, healed, and gone with the lab.

The tests share three bare hosts and run in the order in which they stand; each leaves them healed."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from himari.lab import faults, lab
from himari.lab.identity import labs_root
from himari.lab.lab import LabHostSpec, LabSpec
from himari.lab.standing import Standing, standing
from himari.stack.errors import CapacityError, HostError, StackFileError
from himari.stack.paths import PROJECT, StateDir

STACK = "broken"
HOSTS = ("edge", "brain", "exchange")
DISK_GB = 3
HIMARI = str(PROJECT / ".venv" / "bin" / "himari")
SINK = """
import socket
listening = socket.create_server(("", 5000))
print(flush=True)
connection = listening.accept()[0]
while connection.recv(65536):
    pass
connection.send(b".")
"""
SOURCE = """
import socket, sys, time
connection = socket.create_connection((sys.argv[1], 5000))
start = time.monotonic()
connection.sendall(bytes(int(sys.argv[2])))
connection.shutdown(socket.SHUT_WR)
connection.recv(1)
print(time.monotonic() - start)
"""
LISTEN = """
import socket
listening = socket.socket(type=socket.SOCK_DGRAM)
listening.bind(("", 5001))
listening.settimeout(2)
print(flush=True)
listening.recv(9)
"""
SAY = """
import socket, sys
speaking = socket.socket(type=socket.SOCK_DGRAM)
for _ in range(3):
    speaking.sendto(b".", (sys.argv[1], 5001))
"""
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


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StateDir]:
    state = StateDir(tmp_path_factory.mktemp("faults") / STACK)
    yield state
    assert lab.destroy(STACK, state) == []


@pytest.fixture(scope="module")
def hosts(state: StateDir) -> Standing:
    specs = tuple(LabHostSpec(name=name, disk_gb=DISK_GB) for name in HOSTS)
    lab.up(LabSpec(stack_name=STACK, hosts=specs), state, lambda _host, _says: None)
    return standing(STACK, state)


@pytest.fixture
def on(hosts: Standing) -> Iterator[Standing]:
    """The lab, with no fault in force before and after."""
    assert faults.active(hosts) == ()
    yield hosts
    faults.heal(hosts)


def test_a_cut_is_between_two_hosts_and_no_others(on: Standing) -> None:
    for _ in range(2):
        assert {str(fault) for fault in faults.cut(on, "edge", "brain")} == {"cut edge -> brain", "cut brain -> edge"}
    assert received(on, "edge", "brain") == 0
    assert received(on, "edge", "exchange") == 3
    assert len(faults.heal(on)) == 2
    assert received(on, "edge", "brain") == 3


def test_a_cut_of_one_way_leaves_the_other(on: Standing) -> None:
    faults.cut(on, "edge", "brain", one_way=True)
    for host, other in (("edge", "brain"), ("brain", "edge")):  # each learns the address that it sends to
        inside(on, host, "ip", "neigh", "replace", on_address(on, other), "lladdr", on.hardware(other), "dev", "eth0")
    assert hears(on, "edge", speaker="brain")
    assert not hears(on, "brain", speaker="edge")


def test_loss_takes_its_share_of_each_way(on: Standing) -> None:
    faults.loss(on, "edge", "brain", 90)
    faults.loss(on, "edge", "brain", 30)
    # 51 of 100 echoes are lost on the way or back; 250 are outside these bounds once in a million runs.
    assert 80 < received(on, "edge", "brain", count=250) < 165


def test_delay_holds_each_way_and_survives_the_death_of_its_relay(on: Standing) -> None:
    faults.delay(on, "edge", "brain", 10)
    faults.delay(on, "brain", "edge", 25)
    assert fastest_ms(on, "edge", "brain") >= 50
    assert fastest_ms(on, "edge", "exchange") < 25
    for pid in relays(on):
        os.kill(pid, signal.SIGKILL)
    until(lambda: received(on, "edge", "brain") == 3)
    assert fastest_ms(on, "edge", "brain") >= 50
    faults.heal(on)
    assert relays(on) == []
    assert fastest_ms(on, "edge", "brain") < 25


def test_rate_bounds_a_transfer_and_outlives_the_receivers_power(on: Standing) -> None:
    faults.rate(on, "edge", "brain", 200_000)
    faults.power_off(on, "brain")
    faults.power_on(on, "brain")
    assert seconds_for(on, "edge", "brain", 400_000) > 1.5
    faults.rate(on, "edge", "brain", 100_000_000)
    assert seconds_for(on, "edge", "brain", 400_000) < 1.5


def test_faults_of_one_way_add_up(on: Standing) -> None:
    faults.delay(on, "edge", "brain", 20)
    faults.rate(on, "edge", "brain", 1_000_000)
    faults.loss(on, "edge", "brain", 0.1)
    assert fastest_ms(on, "edge", "brain") >= 40
    faults.cut(on, "edge", "brain")
    assert received(on, "edge", "brain") == 0
    assert {fault.kind for fault in faults.active(on)} == {"delay", "rate", "loss", "cut"}


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


def test_destroy_undoes_every_fault(hosts: Standing) -> None:
    faults.cut(hosts, "edge", "exchange")
    faults.loss(hosts, "edge", "brain", 10)
    faults.delay(hosts, "edge", "brain", 10)
    faults.rate(hosts, "edge", "brain", 1_000_000)
    faults.fill_disk(hosts, "edge", 1_000_000)
    faults.limit_memory(hosts, "edge", 400_000_000)
    faults.hang(hosts, "edge")
    faults.power_off(hosts, "exchange")
    assert len(faults.active(hosts)) == 12
    assert len(trace(hosts)) > 10
    assert lab.destroy(STACK, hosts.state) == []
    assert trace(hosts) == []


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


def printed(*argv: str) -> str:
    return subprocess.run(argv, check=False, capture_output=True, text=True).stdout


def environment(on: Standing) -> dict[str, str]:
    return os.environ | {"HIMARI_STATE": str(on.state.path.parent)}


def outcome(on: Standing, host: str, *command: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    argv = lab.exec_argv(STACK, host, command, on.state)
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=seconds)


def inside(on: Standing, host: str, *command: str) -> str:
    """What a command prints that succeeds on `host`."""
    done = outcome(on, host, *command)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def refusal(on: Standing, host: str, *command: str) -> str:
    done = outcome(on, host, *command)
    assert done.returncode != 0
    return done.stderr


def on_address(on: Standing, host: str) -> str:
    return inside(on, host, "hostname", "-I").split()[0]


def received(on: Standing, host: str, other: str, count: int = 3) -> int:
    """How many echoes of `count` come back."""
    said = outcome(on, host, "ping", "-q", "-n", f"-c{count}", "-i0.01", "-W1", other).stdout
    return int(re.findall(r"(\d+) received", said)[0])


def fastest_ms(on: Standing, host: str, other: str) -> float:
    said = inside(on, host, "ping", "-q", "-n", "-c5", "-i0.05", "-W2", other)
    return float(re.findall(r"min/avg/max/mdev = ([\d.]+)/", said)[0])


def seconds_for(on: Standing, host: str, other: str, size: int) -> float:
    """How long `size` bytes take over TCP, until the other side has them all."""
    argv = lab.exec_argv(STACK, other, ("python3", "-c", SINK), on.state)
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as sink:
        assert sink.stdout is not None
        sink.stdout.readline()
        return float(inside(on, host, "python3", "-c", SOURCE, other, str(size)))


def hears(on: Standing, listener: str, speaker: str) -> bool:
    """Whether one of three datagrams arrives."""
    argv = lab.exec_argv(STACK, listener, ("python3", "-c", LISTEN), on.state)
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as listening:
        assert listening.stdout is not None
        listening.stdout.readline()
        inside(on, speaker, "python3", "-c", SAY, listener)
        return listening.wait() == 0


def greeting(on: Standing, host: str, other: str, seconds: float) -> str:
    """What ssh on `other` says first. Raises TimeoutExpired when it says nothing."""
    ask = f"import socket; print(socket.create_connection(('{other}', 22)).recv(99).decode())"
    return outcome(on, host, "python3", "-c", ask, seconds=seconds).stdout


def free(on: Standing, host: str) -> int:
    return int(inside(on, host, "df", "--output=avail", "-B1", "/").split()[-1])


def written(on: Standing, host: str) -> int:
    """The bytes that the host's disk takes of this machine's."""
    return on.files(host).disk.stat().st_blocks * 512


def relays(on: Standing) -> list[int]:
    """The processes that delay."""
    lines = printed("ps", "-eo", "pid,args").splitlines()
    return [int(line.split()[0]) for line in lines if f"relay.py {on.lab.id}" in line and "bash" not in line]


def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s"
