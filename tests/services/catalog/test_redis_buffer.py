"""The buffer's configuration, as a real Redis takes it."""

from collections.abc import Callable, Iterator

import pytest
import redis

from tests.services.conftest import PASSWORDS, RedisServer

Connect = Callable[[str], "redis.Redis"]
STREAM = "md:binance:BTC/USDT:book"


@pytest.fixture
def connect(redis_server: RedisServer) -> Iterator[Connect]:
    """Connections by a user's name, closed in the end."""
    clients: list[redis.Redis] = []

    def by_name(user: str) -> redis.Redis:
        # Protocol 2: client names and the like are asked for by nobody here, as no user may set them.
        password = PASSWORDS.get(user, "")
        clients.append(
            redis.Redis(port=redis_server.port, username=user, password=password, protocol=2, driver_info=None)
        )
        return clients[-1]

    yield by_name
    for client in clients:
        client.close()


def test_the_pusher_adds_and_asks_and_reads_nothing(connect: Connect) -> None:
    pusher = connect("pusher")
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


def test_the_reader_reads_and_writes_nothing(connect: Connect) -> None:
    connect("pusher").execute_command("XADD", STREAM, "7-1", "z1", b"x")
    reader = connect("reader")
    assert reader.execute_command("XLEN", STREAM) == 1
    assert reader.execute_command("XREAD", "COUNT", "256", "STREAMS", STREAM, "0-0")
    for refused in (("XADD", STREAM, "7-2", "a", "b"), ("XTRIM", STREAM, "MAXLEN", "0"), ("CONFIG", "GET", "dir")):
        with pytest.raises(redis.exceptions.NoPermissionError):
            reader.execute_command(*refused)


def test_the_exporter_learns_figures_and_no_data(connect: Connect) -> None:
    connect("pusher").execute_command("XADD", STREAM, "7-1", "z1", b"x")
    exporter = connect("exporter")
    assert exporter.execute_command("INFO", "ALL")
    for asked in (("LATENCY", "LATEST"), ("SLOWLOG", "GET", "1")):
        assert exporter.execute_command(*asked) is not None
    for refused in (("XLEN", STREAM), ("XRANGE", STREAM, "-", "+"), ("CONFIG", "GET", "*"), ("SLOWLOG", "RESET")):
        with pytest.raises(redis.exceptions.NoPermissionError):
            exporter.execute_command(*refused)


def test_the_operator_looks_and_changes_nothing(connect: Connect) -> None:
    operator = connect("operator")
    assert operator.execute_command("CONFIG", "GET", "maxmemory-policy")
    assert operator.execute_command("INFO", "server")
    for refused in (("CONFIG", "SET", "maxmemory", "0"), ("XADD", STREAM, "7-2", "a", "b"), ("SHUTDOWN",)):
        with pytest.raises(redis.exceptions.NoPermissionError):
            operator.execute_command(*refused)


def test_nobody_is_somebody_without_a_login(connect: Connect) -> None:
    with pytest.raises(redis.exceptions.AuthenticationError):
        connect("default").execute_command("PING")


def test_what_was_added_is_there_after_a_restart(connect: Connect, redis_server: RedisServer) -> None:
    with connect("pusher").pipeline(transaction=True) as batch:
        batch.execute_command("XADD", STREAM, "MINID", "~", "7-1", "7-1", "z1", b"x")
        batch.execute_command("XADD", STREAM, "MINID", "~", "7-1", "7-2", "z1", b"y")
        batch.execute()
    redis_server.stop()
    redis_server.start()
    assert connect("reader").execute_command("XLEN", STREAM) == 2
