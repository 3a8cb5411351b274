"""The buffer's configuration, as a real Redis takes it."""

import hashlib
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from himari.catalog.component import View

Render = Callable[[str, View], Any]
Shipped = Callable[..., View]
CONFIG, ACL = "/etc/redis/himari.conf", "/etc/redis/himari.acl"
Connect = Callable[[str, str], "redis.Redis"]
STREAM = "md:binance:BTC/USDT:book"


class Buffer:
    """A running Redis: call it for a connection."""

    def __init__(self, connect: Connect, restart: Callable[[], None]) -> None:
        self._connect = connect
        self.restart = restart

    def __call__(self, user: str, password: str) -> "redis.Redis":
        return self._connect(user, password)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def buffer(rendered: Render, view: Shipped, tmp_path: Path) -> Iterator[Buffer]:
    """A Redis with the rendered files: only paths, port and the passwords are the test's."""
    files, port = rendered("redis_buffer", view("lab-edge", "edge")).files, free_port()
    acl = tmp_path / "himari.acl"
    acl.write_text(with_passwords(files[ACL]))
    text = files[CONFIG].replace(ACL, str(acl)).replace("/var/lib/redis", str(tmp_path)).replace("6379", str(port))
    (tmp_path / "himari.conf").write_text(text)
    servers = [launched(tmp_path, port)]
    clients: list[redis.Redis] = []

    def connect(user: str, password: str) -> redis.Redis:
        # Protocol 2: client names and the like are asked for by nobody here, as no user may set them.
        clients.append(redis.Redis(port=port, username=user, password=password, protocol=2, driver_info=None))
        return clients[-1]

    def restart() -> None:
        stop(servers.pop())
        servers.append(launched(tmp_path, port))

    yield Buffer(connect, restart)
    for client in clients:
        client.close()
    stop(servers.pop())


def stop(server: "subprocess.Popen[bytes]") -> None:
    server.terminate()
    server.communicate(timeout=10)


def launched(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    """A Redis that has read its files and answers."""
    server = subprocess.Popen(["redis-server", str(folder / "himari.conf")], stdout=subprocess.PIPE)
    deadline = time.monotonic() + 10
    while not answers(port):
        assert server.poll() is None, server.communicate()[0].decode()
        assert time.monotonic() < deadline, "Redis does not answer"
    return server


def with_passwords(acl: str) -> str:
    """Each user's password is its name."""
    words = (line.split() for line in acl.splitlines())
    return "".join(
        " ".join(f"#{hashlib.sha256(line[1].encode()).hexdigest()}" if word[0] == "#" else word for word in line) + "\n"
        for line in words
    )


def test_the_pusher_adds_and_asks_and_reads_nothing(buffer: Buffer) -> None:
    pusher = buffer("pusher", "pusher")
    assert pusher.execute_command("XADD", STREAM, "7-1", "z1", b"x", "p", "0-0", "c", "1") == b"7-1"
    assert b"7-1" in pusher.execute_command("XINFO", "STREAM", STREAM)
    for refused in (
        ("XREAD", "STREAMS", STREAM, "0"),
        ("DEL", STREAM),
        ("XADD", "other", "1-1", "a", "b"),
        ("FLUSHALL",),
    ):
        with pytest.raises(redis.exceptions.NoPermissionError):
            pusher.execute_command(*refused)


def test_the_reader_reads_and_writes_nothing(buffer: Buffer) -> None:
    buffer("pusher", "pusher").execute_command("XADD", STREAM, "7-1", "z1", b"x")
    reader = buffer("reader", "reader")
    assert reader.execute_command("XLEN", STREAM) == 1
    assert reader.execute_command("XREAD", "COUNT", "256", "STREAMS", STREAM, "0-0")
    for refused in (("XADD", STREAM, "7-2", "a", "b"), ("XTRIM", STREAM, "MAXLEN", "0"), ("CONFIG", "GET", "dir")):
        with pytest.raises(redis.exceptions.NoPermissionError):
            reader.execute_command(*refused)


def test_the_operator_looks_and_changes_nothing(buffer: Buffer) -> None:
    operator = buffer("operator", "operator")
    assert operator.execute_command("CONFIG", "GET", "maxmemory-policy")
    assert operator.execute_command("INFO", "server")
    for refused in (("CONFIG", "SET", "maxmemory", "0"), ("XADD", STREAM, "7-2", "a", "b"), ("SHUTDOWN",)):
        with pytest.raises(redis.exceptions.NoPermissionError):
            operator.execute_command(*refused)


def test_nobody_is_somebody_without_a_login(buffer: Buffer) -> None:
    with pytest.raises(redis.exceptions.AuthenticationError):
        buffer("default", "").execute_command("PING")


def test_what_was_added_is_there_after_a_restart(buffer: Buffer) -> None:
    with buffer("pusher", "pusher").pipeline(transaction=True) as batch:
        batch.execute_command("XADD", STREAM, "MINID", "~", "7-1", "7-1", "z1", b"x")
        batch.execute_command("XADD", STREAM, "MINID", "~", "7-1", "7-2", "z1", b"y")
        batch.execute()
    buffer.restart()
    assert buffer("reader", "reader").execute_command("XLEN", STREAM) == 2
