"""The consumer when its disk or its Redis does not do its part."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from himari_runtime.messages import Kind, Record
from himari_runtime.services.consumer import Consumer
from himari_runtime.venues import registry
from tests.services.conftest import PASSWORDS, RedisServer
from tests.services.runtime.conftest import Site, await_that
from tests.services.runtime.test_way import drain, finish, has_read_all

STOP_SECONDS = 30.0  # on a busy machine; what hangs hangs for longer


def consumer_of(site: Site) -> Consumer:
    return Consumer(site.consumer, PASSWORDS["reader"], registry.router("binance"), registry.primer("binance"))


def first_day(site: Site) -> tuple[Path, list[Record]]:
    """The folder of the first day's records, and these."""
    days = [datetime.fromtimestamp(record.received_ns // 10**9, UTC).date() for record in site.journaled()]
    held = [record for record, day in zip(site.journaled(), days, strict=True) if day == days[0]]
    return site.root / "parquet" / "venue=binance" / f"date={days[0]}", held


async def until(condition: Callable[[], bool]) -> None:
    await asyncio.to_thread(await_that, condition)


def metric(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0.0


@pytest.mark.asyncio
async def test_a_store_that_refuses_is_told_and_tried_again_without_loss(site: Site) -> None:
    finish(site.start_edge(500))
    folder, _ = first_day(site)
    folder.parent.mkdir(parents=True)
    folder.touch()
    before = metric("himari_consumer_reconnects_total")
    consumer = consumer_of(site)
    running = asyncio.create_task(consumer.run())
    await until(lambda: metric("himari_store_failing") == 1)
    assert site.stored() == []
    folder.unlink()
    await until(lambda: site.cursor() == site.journaled()[-1].position)
    consumer.stop.set()
    assert await running == 0
    assert site.stored() == site.journaled()
    assert metric("himari_store_failing") == 0
    assert metric("himari_consumer_reconnects_total") == before


@pytest.mark.asyncio
async def test_the_newest_frame_that_was_read_is_a_metric(site: Site) -> None:
    """The dead-man judges silence by it; what is not the venue's own frame does not count."""
    site.configure(flush_seconds=3600)
    finish(site.start_edge(50))
    finish(site.start_edge(0))  # begins an epoch with a record of its own
    assert site.journaled()[-1].kind == Kind.EPOCH
    newest = max(record.received_ns for record in site.journaled() if record.kind == Kind.FRAME)
    read = metric("himari_consumed_records_total") + len(site.journaled())
    consumer = consumer_of(site)
    running = asyncio.create_task(consumer.run())
    await until(lambda: metric("himari_consumed_records_total") == read)
    await until(lambda: metric("himari_consumer_lag_records") == len(site.journaled()))
    assert metric("himari_consumed_frame_received_ns") == float(newest)
    assert site.stored() == []
    consumer.stop.set()
    assert await running == 0


def test_a_second_consumer_of_a_store_ends_with_status_9(site: Site) -> None:
    first = site.start_consumer()
    finish(site.start_edge(100))
    await_that(lambda: bool(site.stored()))
    second = subprocess.run(site.consumer_command(), capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 9
    assert f"held by process {first.pid} since" in second.stderr
    drain(site, first)
    assert site.stored() == site.journaled()


@pytest.mark.timeout(120)
def test_a_disk_that_hangs_does_not_keep_the_consumer_from_ending(site: Site, redis_server: RedisServer) -> None:
    site.configure(flush_seconds=3600)
    finish(site.start_edge(500))
    consumer = site.start_consumer()
    with redis_server.admin() as admin:
        await_that(lambda: has_read_all(admin))
    folder, held = first_day(site)
    folder.mkdir(parents=True)
    draft = folder / f"edge-{held[0].epoch}.{held[0].n}-{held[-1].epoch}.{held[-1].n}.tmp"
    os.mkfifo(draft)  # to open it is to wait for a reader, who never comes
    consumer.send_signal(signal.SIGTERM)
    assert consumer.wait(STOP_SECONDS) == 1
    assert site.stored() == []
    consumer = site.start_consumer()
    await_that(lambda: not draft.exists())
    with redis_server.admin() as admin:
        await_that(lambda: has_read_all(admin))
    consumer.send_signal(signal.SIGTERM)
    finish(consumer, STOP_SECONDS)
    assert site.stored() == site.journaled()


@pytest.mark.asyncio
@pytest.mark.timeout(120)
async def test_a_redis_that_hangs_does_not_either(site: Site, redis_server: RedisServer) -> None:
    redis_server.signal(signal.SIGSTOP)
    before = metric("himari_consumer_reconnects_total")
    consumer = consumer_of(site)
    running = asyncio.create_task(consumer.run())
    await until(lambda: metric("himari_consumer_reconnects_total") > before)
    consumer.stop.set()
    assert await asyncio.wait_for(running, STOP_SECONDS) == 0


@pytest.mark.asyncio
async def test_a_disk_that_refuses_segments_is_told_as_the_brains_own(
    site: Site, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    finish(site.start_edge(500))
    with redis_server.admin() as admin:
        for name in admin.keys("md:*"):
            admin.xtrim(name, maxlen=0, approximate=False)
    in_the_way = site.root / "parquet" / "venue=binance" / "edge.catch-up"
    in_the_way.parent.mkdir(parents=True)
    in_the_way.touch()
    site.start_segments()
    consumer = consumer_of(site)
    running = asyncio.create_task(consumer.run())
    await until(lambda: metric("himari_store_failing") == 1)
    assert f"cannot store: {in_the_way}: File exists: see what is at that path" in caplog.messages
    in_the_way.unlink()
    await until(lambda: site.cursor() == site.journaled()[-1].position)
    consumer.stop.set()
    assert await running == 0
    assert site.stored() == site.journaled()
    assert metric("himari_store_failing") == 0
