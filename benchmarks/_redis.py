"""A Redis of the benchmark's own: the files that an edge gets, with other paths, port and passwords."""

import hashlib
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
import redis

from himari.apply.render import render
from himari.apply.values import Values
from himari.catalog.component import Feed, View
from himari.catalog.hostpaths import REDIS_ACL, REDIS_CONFIG
from himari.catalog.registry import declaration
from himari.stack.known import KnownHost
from himari.stack.load import load_stack
from himari.stack.model import Access
from himari.stack.paths import StateDir

STACK, HOST = "lab-edge", "edge"
PASSWORD = "benchmark"  # noqa: S105 - of a server that lives for a minute on loopback
START_SECONDS = 20.0


class Redis(msgspec.Struct, frozen=True):
    """A server that runs: on loopback, with the shipped users; one without a password may do everything."""

    port: int

    def client(self) -> redis.Redis:
        """For one that may do everything."""
        return redis.Redis(port=self.port)


@contextmanager
def running(folder: Path) -> Iterator[Redis]:
    """A buffer with its files in `folder`, AOF as shipped; killed afterwards."""
    folder.mkdir()
    port = free_port()
    files = _shipped(folder)
    acl = "".join(_opened(line.split()) + "\n" for line in files[REDIS_ACL].splitlines())
    (folder / "users.acl").write_text(acl)
    config = files[REDIS_CONFIG].replace(REDIS_ACL, str(folder / "users.acl")).replace("/var/lib/redis", str(folder))
    (folder / "redis.conf").write_text(config.replace("6379", str(port)))
    log = folder / "redis.log"
    process = subprocess.Popen(["redis-server", folder / "redis.conf", "--logfile", log, "--daemonize", "no"])
    try:
        _await(Redis(port), process, log)
        yield Redis(port)
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _shipped(folder: Path) -> Mapping[str, str]:
    stack = load_stack(STACK)
    stack = msgspec.structs.replace(stack, access=Access(ssh_from=("192.0.2.1/32",)))
    known = {
        name: KnownHost(address=f"192.0.2.{place}", wireguard_public_key="A" * 43 + "=")
        for place, name in enumerate(stack.hosts, start=2)
    }
    view = View(stack=stack, host_name=HOST, known=known, feed=Feed())
    values = Values.open(stack, known, StateDir(folder / "vault"))
    component = declaration("redis_buffer")(view)
    return {one.file.path: one.content.decode() for one in render(component, view, values)}


def _opened(words: list[str]) -> str:
    """A line of the ACL with the benchmark's password; the default user, as peers use it, may do everything."""
    if words[1] == "default":
        return "user default on nopass ~* &* +@all"
    known = hashlib.sha256(PASSWORD.encode()).hexdigest()
    return " ".join(f"#{known}" if word.startswith("#") else word for word in words)


def _await(server: Redis, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with server.client() as client:
                client.ping()
                return
        except redis.exceptions.ConnectionError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text() if log.exists() else "redis-server did not start") from None
            time.sleep(0.02)
