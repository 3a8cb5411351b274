"""How a benchmark sees that data goes on: with the rights of Redis' operator, from the last entries alone."""

import asyncio
from pathlib import Path

import pytest

from benchmarks._recovered import Eye
from benchmarks._settings import collector_settings
from himari_runtime.messages import START, Kind, Position, Record, meta_stream, streams
from himari_runtime.settings import CollectorSettings, load
from himari_runtime.transport.chunks import Packer
from himari_runtime.transport.redis_link import LOST, RedisLink, pack
from himari_runtime.venues.registry import primer
from tests.services.conftest import PASSWORDS, RedisServer

SYMBOLS = 2


@pytest.fixture
def settings(tmp_path: Path, redis_server: RedisServer) -> CollectorSettings:
    text = collector_settings(
        tmp_path, SYMBOLS, venue="localhost:1", ca_file="", metrics=1, redis=redis_server.port, lines=2, linger=0
    )
    (tmp_path / "collector.toml").write_text(text)
    return load(tmp_path / "collector.toml", CollectorSettings)


async def push(settings: CollectorSettings, name: str, at: Position, received_ns: int) -> None:
    link = await RedisLink.open(settings.buffer, PASSWORDS["pusher"])
    record = Record(at.epoch, at.n, Kind.FRAME, 0, received_ns, received_ns, b"{}")
    chunk = Packer(primer("binance")).pack([record], START)
    await link.exchange(pack("XADD", name, str(at), *chunk.fields()), 1)
    link.close()


def test_the_newest_record_is_that_of_the_greatest_id(settings: CollectorSettings) -> None:
    book = streams("binance", settings.venue.symbols)[2]

    async def look() -> tuple[int, dict[str, Position], int]:
        eye = Eye(settings, PASSWORDS["operator"])
        empty = await eye.received_ns()
        await push(settings, book, Position(1, 9), 900)
        await push(settings, meta_stream("binance"), Position(2, 1), 1_000)
        newest = {name: entry.at for name, entry in (await eye.newest()).items()}
        reached = await eye.received_ns()
        eye.close()
        return empty, newest, reached

    empty, newest, reached = asyncio.run(look())
    assert empty == 0
    assert newest == {book: Position(1, 9), meta_stream("binance"): Position(2, 1)}
    assert reached == 1_000


def test_it_sees_a_redis_that_was_away(settings: CollectorSettings, redis_server: RedisServer) -> None:
    async def look() -> int:
        eye = Eye(settings, PASSWORDS["operator"])
        await push(settings, meta_stream("binance"), Position(1, 1), 500)
        await eye.newest()
        redis_server.stop()
        with pytest.raises(LOST):
            await eye.newest()
        redis_server.start()
        await eye.answered()
        reached = await eye.received_ns()
        eye.close()
        return reached

    assert asyncio.run(look()) == 500
