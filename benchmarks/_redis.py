"""A Redis of the benchmark's own: the files that an edge gets, with other paths, port and passwords."""

import hashlib
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import redis

from benchmarks._shipped import shipped
from himari.catalog.hostpaths import REDIS_ACL, REDIS_CONFIG
from himari.stack.load import load_stack

STACK = "lab-edge"
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
    files = shipped(load_stack(STACK), "redis_buffer", "edge", folder / "vault")
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


def listens(port: int) -> bool:
    """Whether loopback takes a connection there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


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
