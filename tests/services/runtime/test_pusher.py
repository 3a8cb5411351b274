"""What the pusher does about a real buffer that has lost what it was given."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count

import msgspec
import pytest
from prometheus_client import REGISTRY

from himari_runtime.messages import Heartbeat, Kind
from himari_runtime.transport.buffer import Pusher
from himari_runtime.transport.journal import Journal
from himari_runtime.venues import registry
from tests.services.conftest import PASSWORDS, RedisServer
from tests.services.runtime.conftest import Site, await_that
from tests.services.runtime.edge import frame
from tests.services.runtime.test_catch_up import CHANNELS, disclosed
from tests.services.runtime.test_way import drain

WINDOW = 500  # records that the stream holds; the journal holds all
SEGMENT_BYTES = 20_000
DIALECT = registry.dialect("binance")


@contextmanager
def journal_of(site: Site) -> Iterator[Journal]:
    journal = Journal.open(site.collector.journal, "edge", DIALECT.route)
    yield journal
    journal.close()


@asynccontextmanager
async def pushed(site: Site, journal: Journal) -> AsyncIterator[Pusher]:
    """A connection of its own, over which all that is journaled has been pushed."""
    pusher = Pusher(site.collector.buffer, PASSWORDS["pusher"], journal, DIALECT)
    pushing = asyncio.create_task(pusher.run())
    await asyncio.wait_for(pusher.caught_up(), 30)
    yield pusher
    pushing.cancel()
    await asyncio.gather(pushing, return_exceptions=True)


def metric(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0.0


def take(journal: Journal, payload: bytes, kind: Kind = Kind.FRAME) -> None:
    journal.append(kind, payload, line=1, received_ns=time.time_ns(), monotonic_ns=time.monotonic_ns())


def end_segment(journal: Journal, payloads: Iterator[bytes], kind: Kind = Kind.FRAME) -> None:
    """Appends until the next record begins a segment."""
    while journal._size < SEGMENT_BYTES:
        take(journal, next(payloads), kind)


@pytest.mark.asyncio
@pytest.mark.timeout(120)
@pytest.mark.parametrize("has_read", [False, True], ids=["nothing", "a part"])
async def test_a_buffer_that_was_emptied_gets_its_window_and_the_segments_give_the_rest(
    site: Site, redis_server: RedisServer, has_read: bool
) -> None:
    """A stream that ends right before the window, and says nothing behind it, is not passed over."""
    site.configure(window=WINDOW, segment_bytes=SEGMENT_BYTES)
    site.start_segments()
    frames = map(frame, count())
    beats = (msgspec.json.encode(Heartbeat(time_ns=number)) for number in count())
    with journal_of(site) as journal:
        end_segment(journal, frames)
        async with pushed(site, journal):
            if has_read:
                await asyncio.to_thread(lambda: drain(site, site.start_consumer()))
        while journal.n < 4 * WINDOW:
            take(journal, next(frames))
        end_segment(journal, frames)
        take(journal, next(beats), Kind.HEARTBEAT)
        end_segment(journal, beats, Kind.HEARTBEAT)
        for _ in range(WINDOW):
            take(journal, next(frames))
        with redis_server.admin() as admin:
            admin.flushall()
        before = metric("himari_pushed_records_total")
        async with pushed(site, journal):
            assert metric("himari_pushed_records_total") - before == WINDOW
            await asyncio.to_thread(lambda: drain(site, site.start_consumer()))
    assert site.stored() == site.journaled()


@pytest.mark.asyncio
@pytest.mark.timeout(120)
async def test_a_chunk_alone_needs_no_transaction_and_meets_every_refusal_as_in_one(
    site: Site, redis_server: RedisServer
) -> None:
    trades = "md:binance:BTC/USDT:trades"
    again, lost = metric("himari_push_duplicates_total"), metric("himari_push_reconnects_total")
    with journal_of(site) as journal, redis_server.admin() as admin:
        async with pushed(site, journal) as pusher:
            for n, serial in ((2, 0), (3, 3), (4, 6)):
                if n == 3:
                    admin.xadd(trades, {"z1": b"there before"}, id="1-3")
                take(journal, frame(serial))
                await asyncio.wait_for(pusher.caught_up(), 30)
            assert metric("himari_push_duplicates_total") - again == 1
            assert [entry for entry, _ in admin.xrange(trades)] == [b"1-2", b"1-3", b"1-4"]
            assert "cmdstat_multi" not in admin.info("commandstats")
            admin.delete(trades)
            admin.set(trades, "no stream")
            take(journal, frame(9))
            await asyncio.to_thread(await_that, lambda: metric("himari_push_reconnects_total") > lost)
            admin.delete(trades)
            await asyncio.wait_for(pusher.caught_up(), 30)
            assert admin.xrevrange(trades, count=1)[0][0] == b"1-5"


@pytest.mark.asyncio
@pytest.mark.timeout(120)
@pytest.mark.parametrize("knows", [True, False], ids=["the journal knows where it ended", "nobody knows"])
async def test_whole_epochs_that_were_dropped_unread_are_disclosed(site: Site, knows: bool) -> None:
    site.configure(window=WINDOW, segment_bytes=SEGMENT_BYTES)
    site.start_segments()
    frames = map(frame, count())
    with journal_of(site) as journal:
        for _ in range(30):
            take(journal, next(frames))
        async with pushed(site, journal):
            await asyncio.to_thread(lambda: drain(site, site.start_consumer()))
    for _ in range(2):
        with journal_of(site) as journal:
            for _ in range(30):
                take(journal, next(frames))
        if not knows:
            drop(site)
    with journal_of(site) as journal:
        drop(site)
        end_segment(journal, frames)
        take(journal, next(frames))
        async with pushed(site, journal):
            await asyncio.to_thread(lambda: drain(site, site.start_consumer()))
    gaps = disclosed(site.stored())
    # 30 frames are ten of each channel; those of the second and third epoch are gone.
    assert {(gap.channel, gap.after_id, gap.before_id) for gap in gaps} == {(name, 10, 31) for name in CHANNELS}


def drop(site: Site) -> None:
    """All that is sealed, as on a disk that others fill."""
    for path in (site.root / "journal").glob("*.seg"):
        path.unlink()
