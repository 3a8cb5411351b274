"""Real servers on loopback, each with a port and a folder of its own."""

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

PASSWORDS = {"pusher": "push-secret", "reader": "read-secret", "admin": "admin-secret"}
ACL = """\
user default off resetpass resetchannels ~md:* -@all +xadd +xtrim
user pusher on >push-secret ~md:* -@all +xadd +xtrim +xinfo|stream +ping +multi +exec
user reader on >read-secret %R~md:* -@all +xread +xrange +xlen +xinfo|stream +ping
user admin on >admin-secret ~* &* +@all
"""


class RedisServer:
    """A redis-server with the edge's ACL and persistence; it can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        (folder / "users.acl").write_text(ACL)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str) -> None:
        """Returns when the server answers."""
        self._process = subprocess.Popen(
            [
                *("redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)),
                *("--aclfile", str(self.folder / "users.acl"), "--appendonly", "yes", "--appendfsync", "everysec"),
                *("--maxmemory-policy", "noeviction", "--save", "", "--logfile", str(self.folder / "redis.log")),
                *arguments,
            ]
        )
        deadline = time.monotonic() + 20
        while True:
            try:
                with self.admin() as client:
                    client.ping()
            except redis.exceptions.ConnectionError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise RuntimeError((self.folder / "redis.log").read_text()) from None
                time.sleep(0.02)
            else:
                return

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
        return redis.Redis(port=self.port, username="admin", password=PASSWORDS["admin"])


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A running buffer; `redis_server.port`, users pusher and reader as on an edge."""
    folder = tmp_path / "redis"
    folder.mkdir()
    server = RedisServer(folder)
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
