"""From the journal over a real buffer into Parquet: each record once and in order, whatever is killed meanwhile."""

import random
import signal
import subprocess

import pytest
import redis

from tests.services.conftest import RedisServer
from tests.services.runtime.conftest import Site, await_that


def finish(process: "subprocess.Popen[bytes]", seconds: float = 60.0) -> None:
    assert process.wait(seconds) == 0


def drain(site: Site, consumer: "subprocess.Popen[bytes]") -> None:
    """Waits until the brain has all that the journal has, then ends the consumer as systemd would."""
    last = site.journaled()[-1].position
    await_that(lambda: site.cursor() >= last)
    consumer.send_signal(signal.SIGTERM)
    finish(consumer, 5.0)


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
