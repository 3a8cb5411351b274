"""A port of this machine that leads to a private one of a host, through a login of its own."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from himari.ssh.connection import FRESH, Reach
from himari.stack.errors import MachineError
from himari.stack.network import LOOPBACK

_READY = "ready"
_TRIES = 3  # a free port may be taken before ssh has it
_END_SECONDS = 5


class Door(msgspec.Struct, frozen=True):
    """Where a host's private port is reached from here, for as long as `process` runs; None where no way is needed."""

    address: str
    port: int
    process: "subprocess.Popen[str] | None" = None

    def wait(self) -> None:
        """Until the way ends by itself."""
        if self.process:
            self.process.wait()


@contextmanager
def forwarded(reach: Reach, address: str, port: int, *, local_port: int = 0) -> Iterator[Door]:
    """The way to `address`:`port`, as the host itself reaches it, while the block lasts; at `local_port` if not 0.

    Raises HostError when the host cannot be reached, MachineError when no port of this machine can be had."""
    if reach.is_local:
        yield Door(address, port)
        return
    door, process = _opened(reach, address, port, local_port)
    try:
        yield door
    finally:
        _end(process)


def _opened(reach: Reach, address: str, port: int, local_port: int) -> "tuple[Door, subprocess.Popen[str]]":
    for _ in range(1 if local_port else _TRIES):
        here = local_port or _free_port()
        process = _begin(reach, f"{LOOPBACK}:{here}:{address}:{port}")
        if process.stdout and process.stdout.readline().strip() == _READY:
            return Door(LOOPBACK, here, process), process
        _, said = process.communicate()
        if "Address already in use" not in said:
            reach.raise_unreachable(said)
    raise MachineError(f"port {here} is taken", LOOPBACK, "a free port of this machine", "name another one")


def _begin(reach: Reach, way: str) -> "subprocess.Popen[str]":
    # It says so once the port is there, and ends with its input, also when this process is killed.
    options = (*FRESH, "-o", "ExitOnForwardFailure=yes", "-L", way)
    argv = reach.argv(f"echo {_READY}; exec cat >/dev/null", options)
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, text=True, process_group=0)


def _end(process: "subprocess.Popen[str]") -> None:
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        port: int = free.getsockname()[1]
        return port
