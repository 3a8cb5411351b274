"""The dead-man against a webhook that listens."""

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from himari_runtime.messages import Channel, Gap, Kind, Reason, Record, Route
from himari_runtime.metrics import (
    CATCH_UP_LEFT_METRIC,
    CATCH_UP_METRIC,
    CATCHING_UP_METRIC,
    FAILING_METRIC,
    FRAME_METRIC,
)
from himari_runtime.services.deadman import Call, Memory, run
from himari_runtime.services.heard import KILLS_METRIC
from himari_runtime.settings import (
    ConsumerSettings,
    DeadmanSettings,
    Metrics,
    RedisAccess,
    SegmentAccess,
    Source,
    StoredVenue,
)
from himari_runtime.sinks.parquet import ParquetStore
from himari_runtime.sinks.parquet_files import stored_files
from tests.unit.runtime.made import parquet_settings

HEARTBEAT = Route("md:binance:_:meta", "_", Channel.HEARTBEAT)
ConsumerMetrics = Callable[..., Awaitable[Metrics]]
Exposed = Callable[[CollectorRegistry], Awaitable[Metrics]]
ROUTE = Route("md:binance:BTC/USDT:book", "BTC/USDT", Channel.DEPTH)


class Webhook:
    """Keeps what it is told; `status` is its answer."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.status = 200

    async def take(self, request: web.Request) -> web.Response:
        self.calls.append(msgspec.json.decode(await request.read(), type=Call))
        return web.Response(status=self.status)

    def names(self) -> list[list[str]]:
        return [[alarm.name for alarm in call.alarms] for call in self.calls]


@pytest_asyncio.fixture
async def webhook(credentials: Path) -> AsyncIterator[Webhook]:
    """Listens on loopback; the credential `webhook` is its URL."""
    found = Webhook()
    application = web.Application()
    application.router.add_post("/{token}", found.take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    (credentials / "webhook").write_text(f"http://127.0.0.1:{runner.addresses[0][1]}/token\n")
    yield found
    await runner.cleanup()


def settings(root: Path, disk_free: float = 1e-9, edge: Metrics | None = None) -> ConsumerSettings:
    return ConsumerSettings(
        source=Source(name="edge"),
        metrics=Metrics(address="127.0.0.1", port=1),
        venue=StoredVenue(name="binance", symbols=("BTC/USDT",)),
        buffer=RedisAccess(host="127.0.0.1", port=1, user="reader", credential="redis-reader"),
        segments=SegmentAccess(host="127.0.0.1", port=1),
        parquet=parquet_settings(root),
        deadman=DeadmanSettings(
            silence_seconds=60,
            disk_free=disk_free,
            gap_seconds=60,
            webhook_credential="webhook",
            state_file=root / "state" / "deadman.json",
            edge_metrics_url=f"http://127.0.0.1:{edge.port if edge else 1}/metrics",
        ),
    )


def store(root: Path, n: int, *gaps: Gap) -> None:
    """A file with one frame received now, and gaps."""
    now = time.time_ns()
    sink = ParquetStore(settings(root).parquet, "edge", "binance", bytes)
    for gap in gaps:
        sink.add(Record(1, n, Kind.GAP, 1, now, 1, msgspec.json.encode(gap)), ROUTE)
    sink.add(Record(1, n + 1, Kind.FRAME, 1, now, 1, b"{}"), ROUTE)
    sink.flush()


@pytest_asyncio.fixture
async def exposed() -> AsyncIterator[Exposed]:
    """Serves a registry on loopback, as Prometheus asks for it."""
    runners = []

    async def serve(registry: CollectorRegistry) -> Metrics:
        async def said(_: web.Request) -> web.Response:
            return web.Response(body=generate_latest(registry), content_type="text/plain")

        application = web.Application()
        application.router.add_get("/metrics", said)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runners.append(runner)
        return Metrics(address="127.0.0.1", port=runner.addresses[0][1])

    yield serve
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
def consumer(exposed: Exposed) -> ConsumerMetrics:
    """Serves the metrics of a consumer whose newest frame is so many seconds old; None: it has read none."""

    async def serve(age: float | None, failing: bool = False, left: tuple[int, float] | None = None) -> Metrics:
        registry = CollectorRegistry()
        Gauge(CATCHING_UP_METRIC, "from segments", registry=registry).set(left is not None)
        Gauge(CATCH_UP_METRIC, "records", registry=registry).set(left[0] if left else 0)
        Gauge(CATCH_UP_LEFT_METRIC, "seconds", registry=registry).set(left[1] if left else 0)
        Gauge(FAILING_METRIC, "of the store", registry=registry).set(failing)
        newest = Gauge(FRAME_METRIC, "of the newest frame", registry=registry)
        if age is not None:
            newest.set(time.time_ns() - age * 1e9)
        return await exposed(registry)

    return serve


def gap(seconds: float, filled: bool = False) -> Gap:
    return Gap(
        venue="binance",
        symbol="BTC/USDT",
        channel="depth",
        after_id=1,
        before_id=9,
        after_ns=0,
        before_ns=int(seconds * 1e9),
        reason=Reason.RECONNECT,
        filled=filled,
    )


@pytest.mark.asyncio
async def test_quiet_while_all_is_well(tmp_path: Path, webhook: Webhook) -> None:
    store(tmp_path, 1)
    assert await run(settings(tmp_path)) == 0
    assert webhook.calls == []


@pytest.mark.asyncio
async def test_silence_is_told_once_and_its_end(tmp_path: Path, webhook: Webhook) -> None:
    tmp_path.joinpath("state").mkdir()
    assert [await run(settings(tmp_path)) for _ in range(3)] == [1, 1, 1]
    assert webhook.names() == [["silence"]]
    store(tmp_path, 1)
    assert [await run(settings(tmp_path)) for _ in range(2)] == [0, 0]
    assert webhook.names() == [["silence"], []]
    assert webhook.calls[0].source == "edge"
    assert webhook.calls[0].alarms[0].limit == 120  # nobody answers: 60 s on top of the 60 s that a file is filled


@pytest.mark.asyncio
async def test_a_venue_that_is_silent_alarms_while_heartbeats_come(tmp_path: Path, webhook: Webhook) -> None:
    now = time.time_ns()
    sink = ParquetStore(settings(tmp_path).parquet, "edge", "binance", bytes)
    sink.add(Record(1, 1, Kind.FRAME, 1, now - 200 * 10**9, 1, b"{}"), ROUTE)
    sink.add(Record(1, 2, Kind.HEARTBEAT, 0, now, 1, b"{}"), HEARTBEAT)
    sink.flush()
    assert await run(settings(tmp_path)) == 1
    assert webhook.names() == [["silence"]]
    assert 200 <= webhook.calls[0].alarms[0].observed < 230


@pytest.mark.asyncio
async def test_silence_is_what_the_consumer_has_not_read_and_not_what_is_unstored(
    tmp_path: Path, webhook: Webhook, consumer: ConsumerMetrics
) -> None:
    heard = msgspec.structs.replace(settings(tmp_path), metrics=await consumer(50))
    assert await run(heard) == 0
    silent = msgspec.structs.replace(settings(tmp_path), metrics=await consumer(61))
    store(tmp_path, 1)
    assert await run(silent) == 1
    assert [alarm.limit for call in webhook.calls for alarm in call.alarms] == [60]


@pytest.mark.asyncio
async def test_a_consumer_that_has_read_nothing_yet_is_judged_by_its_store(
    tmp_path: Path, webhook: Webhook, consumer: ConsumerMetrics
) -> None:
    store(tmp_path, 1)
    assert await run(msgspec.structs.replace(settings(tmp_path), metrics=await consumer(None))) == 0
    assert webhook.calls == []


@pytest.mark.asyncio
async def test_the_same_alarm_is_repeated_after_ten_minutes(tmp_path: Path, webhook: Webhook) -> None:
    assert await run(settings(tmp_path)) == 1
    state = settings(tmp_path).deadman.state_file
    memory = msgspec.json.decode(state.read_bytes(), type=Memory)
    memory.called_ns -= 601 * 10**9
    state.write_bytes(msgspec.json.encode(memory))
    assert await run(settings(tmp_path)) == 1
    assert webhook.names() == [["silence"], ["silence"]]


@pytest.mark.asyncio
async def test_another_alarm_is_told_at_once(tmp_path: Path, webhook: Webhook) -> None:
    assert await run(settings(tmp_path)) == 1
    assert await run(settings(tmp_path, disk_free=0.999999)) == 1
    assert webhook.names() == [["silence"], ["silence", "disk"]]


@pytest.mark.asyncio
async def test_a_call_that_failed_is_made_again(tmp_path: Path, webhook: Webhook) -> None:
    webhook.status = 503
    assert await run(settings(tmp_path)) == 1
    webhook.status = 200
    assert [await run(settings(tmp_path)) for _ in range(2)] == [1, 1]
    assert webhook.names() == [["silence"], ["silence"]]


@pytest.mark.asyncio
async def test_a_long_gap_is_told_unless_it_was_filled(tmp_path: Path, webhook: Webhook) -> None:
    store(tmp_path, 1)
    assert await run(settings(tmp_path)) == 0
    store(tmp_path, 3, gap(61), gap(61, filled=True))
    store(tmp_path, 5, gap(59))
    assert await run(settings(tmp_path)) == 0
    store(tmp_path, 7, gap(62))
    assert [await run(settings(tmp_path)) for _ in range(2)] == [1, 0]
    assert webhook.names() == [["gap"], []]
    assert webhook.calls[0].alarms[0].observed == 62


@pytest.mark.asyncio
async def test_a_gap_is_told_by_the_first_call_that_succeeds(tmp_path: Path, webhook: Webhook) -> None:
    store(tmp_path, 1)
    assert await run(settings(tmp_path)) == 0
    store(tmp_path, 3, gap(62))
    webhook.status = 503
    assert [await run(settings(tmp_path)) for _ in range(2)] == [1, 1]
    webhook.status, webhook.calls = 200, []
    assert [await run(settings(tmp_path)) for _ in range(2)] == [1, 0]
    assert webhook.names() == [["gap"], []]


@pytest.mark.asyncio
async def test_a_second_gap_is_told_although_the_first_was_told_just_before(tmp_path: Path, webhook: Webhook) -> None:
    store(tmp_path, 1)
    assert await run(settings(tmp_path)) == 0
    for n, seconds in ((3, 62), (5, 75)):
        store(tmp_path, n, gap(seconds))
        assert await run(settings(tmp_path)) == 1
    assert [call.alarms[0].observed for call in webhook.calls] == [62, 75]


@pytest.mark.asyncio
async def test_a_consumer_that_cannot_write_is_told(
    tmp_path: Path, webhook: Webhook, consumer: ConsumerMetrics
) -> None:
    assert await run(msgspec.structs.replace(settings(tmp_path), metrics=await consumer(1, failing=True))) == 1
    assert webhook.names() == [["store"]]


@pytest.mark.asyncio
async def test_a_store_that_cannot_be_read_is_told_and_looked_at_again(tmp_path: Path, webhook: Webhook) -> None:
    store(tmp_path, 1)
    assert await run(settings(tmp_path)) == 0
    store(tmp_path, 3, gap(62))
    newest = stored_files(tmp_path, "edge", "binance")[-1].path
    content = newest.read_bytes()
    newest.write_bytes(b"damaged")
    assert [await run(settings(tmp_path)) for _ in range(2)] == [1, 1]
    assert webhook.names() == [["look", "look"]]
    assert any(alarm.says.startswith("could not look at the gaps: ") for alarm in webhook.calls[0].alarms)
    newest.write_bytes(content)
    assert await run(settings(tmp_path)) == 1
    assert webhook.names()[1:] == [["gap"]]


@pytest.mark.asyncio
async def test_a_state_that_cannot_be_kept_is_told_beside_the_rest(tmp_path: Path, webhook: Webhook) -> None:
    settings(tmp_path).deadman.state_file.mkdir(parents=True)
    assert await run(settings(tmp_path)) == 1
    assert webhook.names() == [["silence", "look"]]
    assert webhook.calls[0].alarms[1].says.startswith("could not look at its own state: ")


@pytest.mark.asyncio
async def test_a_disk_that_hangs_is_told(tmp_path: Path, webhook: Webhook) -> None:
    store(tmp_path, 1)
    tmp_path.joinpath("state").mkdir()
    os.mkfifo(settings(tmp_path).deadman.state_file)  # to open it is to wait for a writer, who never comes
    assert await run(settings(tmp_path)) == 1
    assert [alarm.says for alarm in webhook.calls[0].alarms] == [
        "could not look at its own state: no answer within 4 s"
    ]


@pytest.mark.asyncio
async def test_old_days_are_not_looked_at(tmp_path: Path, webhook: Webhook) -> None:
    old = tmp_path / "venue=binance" / "date=2025-01-01"
    old.mkdir(parents=True)
    (old / "edge-1.1-1.2.parquet").write_bytes(b"whoever opens it fails")
    os.utime(old, ns=(0, 0))
    store(tmp_path, 3)
    settings(tmp_path).deadman.state_file.parent.mkdir()
    settings(tmp_path).deadman.state_file.write_bytes(msgspec.json.encode(Memory(looked_ns=1)))
    assert await run(settings(tmp_path)) == 0
    assert webhook.calls == []


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("left", "told"),
    [
        (31.04, (31.0, "seconds until the consumer has caught up with its edge; it is 52000 records behind")),
        (0.0, (52_000, "records that the consumer is behind; it waits for the edge's segments")),
    ],
)
async def test_a_consumer_that_catches_up_is_not_silent(
    tmp_path: Path, webhook: Webhook, consumer: ConsumerMetrics, left: float, told: tuple[float, str]
) -> None:
    """Its newest frame is hours old, as it stores in order; what matters is for how long."""
    behind = msgspec.structs.replace(settings(tmp_path), metrics=await consumer(7200, left=(52_000, left)))
    assert await run(behind) == 1
    (alarm,) = webhook.calls[0].alarms
    assert (alarm.name, (alarm.observed, alarm.says)) == ("catch-up", told)


@pytest.mark.asyncio
async def test_an_edge_that_kills_for_want_of_memory_is_told_once_each_time(
    tmp_path: Path, webhook: Webhook, exposed: Exposed
) -> None:
    store(tmp_path, 1)
    registry = CollectorRegistry()
    kills = Gauge(KILLS_METRIC, "of the kernel", registry=registry)
    kills.set(7)
    edge = settings(tmp_path, edge=await exposed(registry))
    assert [await run(edge) for _ in range(2)] == [0, 0]  # those of the time before the first look are history
    kills.set(9)
    assert await run(settings(tmp_path)) == 0  # the edge does not answer for once
    assert [await run(edge) for _ in range(2)] == [1, 0]
    assert webhook.names() == [["edge-memory"], []]
    assert webhook.calls[0].alarms[0].observed == 2
    kills.set(1)  # it has booted
    assert await run(edge) == 0
