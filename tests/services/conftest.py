"""Real servers on loopback, each with a port and a folder of its own."""

import hashlib
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import redis

from tests.unit.catalog.conftest import Render, Shipped, rendered, view

__all__ = ["rendered", "view"]

CONFIG, ACL = "/etc/redis/himari.conf", "/etc/redis/himari.acl"
ADMIN = "admin"  # the test's own user beside the shipped ones
PASSWORDS = {user: f"{user}-secret" for user in ("pusher", "reader", "writer", "operator", "exporter", ADMIN)}
IN_USE = "Address already in use"


class RedisServer:
    """A redis-server with the files of an edge: only paths, port and passwords are the test's, and a user for it.

    It can be killed and started again."""

    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        self.folder = folder
        self.port = 0
        self._config = files[CONFIG].replace(ACL, str(folder / "users.acl")).replace("/var/lib/redis", str(folder))
        admin = f"user {ADMIN} on >{PASSWORDS[ADMIN]} ~* &* +@all\n"
        (folder / "users.acl").write_text(with_passwords(files[ACL]) + admin)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when the server answers; the first start finds a port that nobody else took meanwhile."""
        if self.port:
            self._launch()
            return
        while not self.port:
            self.port = free_port()
            (self.folder / "redis.conf").write_text(self._config.replace("6379", str(self.port)))
            try:
                self._launch()
            except RuntimeError as error:
                if IN_USE not in str(error):
                    raise
                self.port = 0

    def _launch(self) -> None:
        log = self.folder / "redis.log"
        log.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            ["redis-server", str(self.folder / "redis.conf"), "--logfile", str(log), "--daemonize", "no"]
        )
        deadline = time.monotonic() + 20
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(log.read_text())
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            with self.admin() as client:
                return bool(client.ping())
        except (redis.exceptions.ConnectionError, redis.exceptions.AuthenticationError):
            return False  # the latter: whoever else has the port

    def stop(self) -> None:
        """In order, as systemd would."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(20)

    def kill(self) -> None:
        """As a power cut of the process: SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def signal(self, number: int) -> None:
        """SIGSTOP makes it hang with its connections open, SIGCONT goes on."""
        assert self._process is not None
        self._process.send_signal(number)

    def admin(self) -> redis.Redis:
        """A client that may do everything."""
        return redis.Redis(port=self.port, username=ADMIN, password=PASSWORDS[ADMIN])


def with_passwords(acl: str) -> str:
    """The shipped ACL with the test's passwords."""
    return "".join(_with_password(line.split()) + "\n" for line in acl.splitlines())


def _with_password(words: list[str]) -> str:
    known = hashlib.sha256(PASSWORDS.get(words[1], "").encode()).hexdigest()
    return " ".join(f"#{known}" if word.startswith("#") else word for word in words)


@pytest.fixture
def redis_server(tmp_path: Path, rendered: Render, view: Shipped) -> Iterator[RedisServer]:
    """A running buffer as on an edge; `redis_server.port`, users pusher, reader and operator."""
    folder = tmp_path / "redis"
    folder.mkdir()
    server = RedisServer(folder, rendered("redis_buffer", view("lab-edge", "edge")).files)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """CREDENTIALS_DIRECTORY as systemd would give it."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    for user in ("pusher", "reader"):
        (folder / f"redis-{user}").write_text(PASSWORDS[user] + "\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    return folder


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
