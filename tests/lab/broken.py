"""Three bare hosts on which each fault of a lab is made, and what they feel of it."""

import re
import subprocess

from himari.lab import lab
from himari.lab.lab import LabHostSpec, LabSpec
from himari.lab.standing import Standing

STACK = "broken"
DISK_GB = 3
SPEC = LabSpec(
    stack_name=STACK, hosts=tuple(LabHostSpec(name=name, disk_gb=DISK_GB) for name in ("edge", "brain", "exchange"))
)


def outcome(on: Standing, host: str, *command: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    argv = lab.exec_argv(STACK, host, command, on.state)
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=seconds)


def inside(on: Standing, host: str, *command: str) -> str:
    """What a command prints that succeeds on `host`."""
    done = outcome(on, host, *command)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def received(on: Standing, host: str, other: str, count: int = 3) -> int:
    """How many echoes of `count` come back."""
    said = outcome(on, host, "ping", "-q", "-n", f"-c{count}", "-i0.01", "-W1", other).stdout
    return int(re.findall(r"(\d+) received", said)[0])


def fastest_ms(on: Standing, host: str, other: str) -> float:
    said = inside(on, host, "ping", "-q", "-n", "-c5", "-i0.05", "-W2", other)
    return float(re.findall(r"min/avg/max/mdev = ([\d.]+)/", said)[0])


def relays(on: Standing) -> list[int]:
    """The processes that delay."""
    lines = printed("ps", "-eo", "pid,args").splitlines()
    return [int(line.split()[0]) for line in lines if f"relay.py {on.lab.id}" in line and "bash" not in line]


def printed(*argv: str) -> str:
    return subprocess.run(argv, check=False, capture_output=True, text=True).stdout
