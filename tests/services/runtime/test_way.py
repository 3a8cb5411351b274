"""From the journal over a real buffer into Parquet: each record once and in order, whatever is killed meanwhile."""

import asyncio
import random
import signal
import subprocess

import msgspec
import pytest
import redis

from himari_runtime.messages import Gap
from himari_runtime.services.digest import Window, digest
from himari_runtime.services.health import health
from tests.services.conftest import RedisServer
from tests.services.runtime.conftest import Site, await_that


def finish(process: "subprocess.Popen[bytes]", seconds: float = 60.0) -> None:
    assert process.wait(seconds) == 0


def drain(site: Site, consumer: "subprocess.Popen[bytes]") -> None:
    """Waits until the brain has all that the journal has, then ends the consumer as systemd would."""
    last = site.journaled()[-1].position
    await_that(lambda: site.cursor() >= last)
    consumer.send_signal(signal.SIGTERM)
    finish(consumer)


def test_what_is_journaled_is_stored(site: Site) -> None:
    consumer = site.start_consumer()
    finish(site.start_edge(5000))
    drain(site, consumer)
    assert len(site.stored()) == 5001  # the frames and the epoch's own record
    assert site.stored() == site.journaled()


def test_sigterm_stores_what_was_read(site: Site, redis_server: RedisServer) -> None:
    site.configure(flush_seconds=3600)
    finish(site.start_edge(500))
    consumer = site.start_consumer()
    with redis_server.admin() as admin:
        await_that(lambda: has_read_all(admin))
    consumer.send_signal(signal.SIGTERM)
    finish(consumer, 5.0)
    assert site.stored() == site.journaled()


def has_read_all(admin: redis.Redis) -> bool:
    """The reader has been served and waits for more."""
    calls = admin.info("commandstats").get("cmdstat_xread", {}).get("calls", 0)
    return bool(calls > 2 and admin.info("clients")["blocked_clients"])


def refusals(admin: redis.Redis) -> int:
    """How often Redis has said OOM."""
    count: int = admin.info("errorstats").get("errorstat_OOM", {}).get("count", 0)
    return count


@pytest.mark.timeout(120)
def test_killed_edges_and_consumers_lose_nothing(site: Site) -> None:
    dice = random.Random(20261121)
    consumer = site.start_consumer()
    for _ in range(5):
        edge = site.start_edge(1_000_000, per_turn=10)
        reached = site.journaled_size() + dice.randrange(50_000, 400_000)
        await_that(lambda reached=reached: site.journaled_size() > reached)
        edge.kill()
        edge.wait()
        consumer.kill()
        consumer.wait()
        consumer = site.start_consumer()
    finish(site.start_edge(100))
    drain(site, consumer)
    assert site.stored() == site.journaled()
    assert site.stored()[-1].epoch == 6


@pytest.mark.timeout(120)
def test_redis_killed_under_load(site: Site, redis_server: RedisServer) -> None:
    consumer = site.start_consumer()
    edge = site.start_edge(30_000, per_turn=10)
    for _ in range(3):
        seen = site.cursor()
        await_that(lambda seen=seen: site.cursor() > seen)
        redis_server.kill()
        size = site.journaled_size()
        await_that(lambda size=size: site.journaled_size() > size or edge.poll() is not None)
        redis_server.start()
    finish(edge)
    drain(site, consumer)
    assert site.stored() == site.journaled()


@pytest.mark.timeout(120)
def test_a_full_redis_makes_the_pusher_wait(site: Site, redis_server: RedisServer) -> None:
    with redis_server.admin() as admin:
        admin.set("other", b"x" * (8 << 20))
        admin.config_set("maxmemory", "8mb")
        consumer = site.start_consumer()
        edge = site.start_edge(3000)
        await_that(lambda: len(site.journaled()) == 3001)
        before = refusals(admin)
        await_that(lambda: refusals(admin) > before)
        assert admin.keys("md:*") == []
        admin.delete("other")
    finish(edge)
    drain(site, consumer)
    assert site.stored() == site.journaled()


@pytest.mark.timeout(120)
def test_a_redis_full_of_its_own_streams_is_trimmed(site: Site, redis_server: RedisServer) -> None:
    consumer = site.start_consumer()
    finish(site.start_edge(300))
    drain(site, consumer)
    site.configure(window=300_000)
    with redis_server.admin() as admin:
        admin.config_set("maxmemory", int(admin.info("memory")["used_memory"]) + (3 << 19))
        finish(site.start_edge(300_000, per_turn=200))
        assert refusals(admin) > 0
        kept = sum(admin.xlen(name) for name in admin.keys("md:*"))
    site.start_segments()
    consumer = site.start_consumer()
    drain(site, consumer)
    assert 0 < kept < 2000
    assert site.stored() == site.journaled()


def test_a_buffer_from_a_later_epoch_lifts_ours(site: Site, redis_server: RedisServer) -> None:
    with redis_server.admin() as admin:
        admin.xadd("md:binance:_:meta", {"z1": b"", "p": "0-0", "c": 0}, id="41-1")
    assert site.start_edge(10).wait(30) != 0
    finish(site.start_edge(10))
    assert {record.epoch for record in site.journaled()} == {1, 42}


def test_health_and_digest_of_both_ends(site: Site) -> None:
    consumer = site.start_consumer()
    finish(site.start_edge(300))
    drain(site, consumer)
    edge = asyncio.run(health(site.collector))
    brain = asyncio.run(health(site.consumer))
    assert edge.journal is not None
    assert brain.parquet is not None
    assert (edge.error, edge.journal.last, edge.backlog_records) == ("", "1-301", 0)
    assert (brain.error, brain.parquet.cursor, brain.backlog_records) == ("", "1-301", 0)
    assert edge.journal.bytes > 300 * 60
    assert all(stream.age_s is not None and 0 <= stream.age_s < 300 for stream in (*edge.streams, *brain.streams))
    assert len(edge.streams) == len(brain.streams) == 3
    ends = [digest(settings, Window(0, 1 << 62)) for settings in (site.collector, site.consumer)]
    assert [(end.where, end.records, end.duplicates, end.unparsed) for end in ends] == [
        ("journal", 301, 0, 0),
        ("parquet", 301, 0, 0),
    ]
    assert ends[0].events == ends[1].events
    assert [event.key for event in ends[0].events[:3]] == [
        "t|BTCUSDT|1000001",
        "d|BTCUSDT|1000001|1000001",
        "b|BTCUSDT|1000001",
    ]


def test_health_tells_of_a_buffer_that_is_gone(site: Site, redis_server: RedisServer) -> None:
    redis_server.kill()
    found = asyncio.run(health(site.consumer))
    assert found.error == f"the buffer at 127.0.0.1:{redis_server.port} cannot be asked: Connection refused"
    assert found.streams == []


def test_health_tells_of_a_store_that_cannot_be_read(site: Site) -> None:
    consumer = site.start_consumer()
    finish(site.start_edge(100))
    drain(site, consumer)
    for path in (site.root / "parquet").rglob("*.parquet"):
        path.write_bytes(b"damaged")
    found = asyncio.run(health(site.consumer))
    assert found.error.startswith(f"{site.root / 'parquet'}: ")
    assert found.parquet is None
    assert len(found.streams) == 3


@pytest.mark.timeout(120)
def test_a_redis_that_hangs_is_left_within_seconds(site: Site, redis_server: RedisServer) -> None:
    """It keeps its connections and says nothing: both ends must notice, and go on when it answers again."""
    site.configure(flush_seconds=0.1)
    consumer = site.start_consumer()
    edge = site.start_edge(1_000_000, per_turn=1)
    await_that(lambda: site.cursor().n > 100)
    redis_server.signal(signal.SIGSTOP)
    size = site.journaled_size()
    await_that(lambda: site.journaled_size() > size + 500_000)
    assert consumer.poll() is None
    consumer.send_signal(signal.SIGTERM)
    finish(consumer, 5.0)
    redis_server.signal(signal.SIGCONT)
    edge.kill()
    edge.wait()
    consumer = site.start_consumer()
    finish(site.start_edge(10))
    drain(site, consumer)
    assert site.stored() == site.journaled()


def test_damage_in_the_journal_is_disclosed_as_a_gap(site: Site, redis_server: RedisServer) -> None:
    """What the disk lost before it was pushed is missing on the brain too, which must say so."""
    redis_server.kill()
    edge = site.start_edge(3000)
    await_that(lambda: len(site.journaled()) == 3001)
    edge.kill()
    edge.wait()
    segment = sorted((site.root / "journal").glob("00000001-*"))[0]
    content = bytearray(segment.read_bytes())
    content[content.index(b'"t":1000101,')] ^= 0xFF
    segment.chmod(0o640)
    segment.write_bytes(content)
    redis_server.start()
    finish(site.start_edge(10))
    site.start_segments()
    consumer = site.start_consumer()
    drain(site, consumer)
    rows = site.stored()
    assert [record for record in rows if record.line >= 0] == site.journaled()
    gaps = [msgspec.json.decode(record.payload, type=Gap) for record in rows if record.line < 0]
    assert ("trade", 1_000_100, 1_000_102, "overtaken") in {
        (g.channel, g.after_id, g.before_id, g.reason) for g in gaps
    }
