"""The first contact with a host: it answers on ssh with the pinned key and lets the operator in."""

import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from himari.stack.errors import HostError

POLL_S = 0.02
BANNER_S = 2.0  # a host that accepts and then says nothing for so long is asked again
LOGIN_S = 20.0


def known_hosts(before: str, addresses: Mapping[str, str], keys: Mapping[str, str]) -> str:
    """`before` (a known_hosts text) with each of the hosts pinned to its key under its name and its address."""
    ours = {*addresses, *addresses.values()}
    kept = [line for line in before.splitlines() if line and ours.isdisjoint(line.split()[0].split(","))]
    return "\n".join((*kept, *(f"{name},{address} {keys[name]}" for name, address in addresses.items()))) + "\n"


def await_banner(host: str, address: str, log: Path, seconds: float) -> None:
    """Return once `address` greets as an ssh server. Raises HostError with the console's last lines."""
    deadline = time.monotonic() + seconds
    while not _greets(address):
        if time.monotonic() > deadline:
            raise HostError(
                what=f"no ssh within {seconds:.0f} s",
                where=f"{host} ({address}:22)",
                expected="the banner of an ssh server",
                hint=f"the console's last lines ({log}):\n{_tail(log)}",
            )
        time.sleep(POLL_S)


def log_in(host: str, address: str, key: Path, pins: Path) -> None:
    """One `true` as root over ssh. Raises HostError when the host refuses the key or shows another one of its own."""
    options = {
        "BatchMode": "yes",
        "ConnectTimeout": "10",
        "ControlPath": "none",
        "IdentitiesOnly": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": str(pins),
    }
    flags = (flag for name, value in options.items() for flag in ("-o", f"{name}={value}"))
    argv = ("ssh", "-F", "none", "-i", str(key), *flags, f"root@{address}", "true")
    done = subprocess.run(argv, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LOGIN_S)
    if done.returncode:
        raise HostError(
            what=f"ssh as root was refused: {done.stderr.strip()}",
            where=f"{host} ({address})",
            expected=f"the host to accept {key} and to show the key pinned in {pins}",
            hint="destroy the lab and bring it up again",
        )


def _greets(address: str) -> bool:
    try:
        with socket.create_connection((address, 22), timeout=BANNER_S) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _tail(log: Path, lines: int = 8) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else "(empty)"
