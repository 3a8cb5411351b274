"""A brain that was away for longer than the stream holds, over a real buffer and the real server of segments."""

import http.client
import re
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from himari_runtime.messages import Gap, Position, Record
from himari_runtime.venues import registry
from tests.services.conftest import RedisServer
from tests.services.runtime.conftest import Site, await_that
from tests.services.runtime.test_way import drain, finish

CHANNELS = ("trade", "depth", "book_ticker")
WINDOW = 500  # records that the stream holds; the journal holds all


def away(site: Site, missed: int = 6000, segment_bytes: int = 60_000, **settings: Any) -> None:
    """A brain that has stored 300 frames and then misses more than the stream holds."""
    site.configure(window=WINDOW, segment_bytes=segment_bytes, **settings)
    consumer = site.start_consumer()
    finish(site.start_edge(300))
    drain(site, consumer)
    finish(site.start_edge(missed))


def trim(redis_server: RedisServer, keep: int) -> None:
    """As a stream whose window passed: only the last `keep` chunks of each are left."""
    with redis_server.admin() as admin:
        for name in admin.keys("md:*"):
            admin.xtrim(name, maxlen=keep, approximate=False)


def disclosed(rows: Iterable[Record]) -> list[Gap]:
    return [msgspec.json.decode(record.payload, type=Gap) for record in rows if record.line < 0]


def from_journal(rows: Iterable[Record]) -> list[Record]:
    return [record for record in rows if record.line >= 0]


def sealed_files(site: Site, epoch: int) -> list[Path]:
    return sorted((site.root / "journal").glob(f"{epoch:08d}-*.seg"))


def bounds(records: list[Record], lost: set[Position]) -> set[tuple[str, int, int]]:
    """For each channel the venue's id before and behind what is lost."""
    found = set()
    for channel in CHANNELS:
        ids = [
            (record.position, where.first_id)
            for record in records
            if (where := registry.route("binance", record)).channel == channel
        ]
        places = [place for place, (position, _) in enumerate(ids) if position in lost]
        found.add((channel, ids[places[0] - 1][1], ids[places[-1] + 1][1]))
    return found


def test_what_the_stream_no_longer_has_comes_from_the_journal(site: Site, redis_server: RedisServer) -> None:
    away(site)
    trim(redis_server, 2)
    site.start_segments()
    consumer = site.start_consumer()
    drain(site, consumer)
    assert site.stored() == site.journaled()
    assert not list((site.root / "parquet").rglob("*catch-up*"))


def test_a_stream_that_was_emptied_is_noticed_too(site: Site, redis_server: RedisServer) -> None:
    """It has no entry left whose predecessor could tell; the others go on past what it lost."""
    away(site)
    with redis_server.admin() as admin:
        admin.xtrim("md:binance:BTC/USDT:trades", maxlen=0, approximate=False)
    site.start_segments()
    consumer = site.start_consumer()
    drain(site, consumer)
    assert site.stored() == site.journaled()


def test_an_entry_that_is_damaged_comes_from_the_journal(site: Site, redis_server: RedisServer) -> None:
    finish(site.start_edge(2000))
    with redis_server.admin() as admin:
        name = "md:binance:BTC/USDT:book"
        entry, _ = admin.xrange(name, count=3)[1]
        later = admin.xrange(name, min=entry)
        admin.delete(name)
        for place, (entry_id, fields) in enumerate(later):
            admin.xadd(name, fields if place else {b"z1": b"damaged"}, id=entry_id)
    site.start_segments()
    consumer = site.start_consumer()
    drain(site, consumer)
    assert site.stored() == site.journaled()


@pytest.mark.timeout(180)
def test_killed_while_catching_up_it_goes_on_where_it_was(site: Site) -> None:
    """Slowly, so that each life of it stores a part; data comes in and is trimmed all the while."""
    away(site, missed=10_000, flush_seconds=0.05, catch_up_bytes_per_s=20_000)
    missed = site.journaled()[-1].position
    server = site.start_segments()
    edge = site.start_edge(2000, per_turn=1)
    for life in range(3):
        consumer = site.start_consumer()
        before = site.cursor()
        await_that(lambda before=before: site.cursor() > before)
        consumer.kill()
        consumer.wait()
        assert life or site.cursor() < missed
    finish(edge)
    server.terminate()
    finish(server)
    site.configure(window=WINDOW, segment_bytes=60_000)
    site.start_segments()
    drain(site, site.start_consumer())
    assert site.stored() == site.journaled()


def test_what_the_journal_has_dropped_is_one_gap_a_channel(site: Site) -> None:
    away(site)
    whole = site.journaled()
    for path in sealed_files(site, 2)[:3]:
        path.unlink()
    held = {record.position for record in site.journaled()}
    site.start_segments()
    drain(site, site.start_consumer())
    rows = site.stored()
    assert from_journal(rows) == site.journaled()
    gaps = disclosed(rows)
    lost = {record.position for record in whole} - held
    assert lost
    assert len(gaps) == len(CHANNELS)
    assert {(gap.channel, gap.after_id, gap.before_id) for gap in gaps} == bounds(whole, lost)
    assert {gap.reason for gap in gaps} == {"overtaken"}


def test_a_segment_that_the_disk_damaged_gives_what_is_whole_and_a_gap(site: Site) -> None:
    away(site)
    whole = site.journaled()
    path = sealed_files(site, 2)[3]
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 300] = b"\0" * 300
    path.chmod(0o640)
    path.write_bytes(content)
    site.start_segments()
    drain(site, site.start_consumer())
    rows = site.stored()
    assert from_journal(rows) == site.journaled()
    lost = {record.position for record in whole} - {record.position for record in site.journaled()}
    assert 0 < len(lost) < 6
    for channel, after, before in bounds(whole, lost):
        assert (channel, after, before) in {(gap.channel, gap.after_id, gap.before_id) for gap in disclosed(rows)}


def test_an_edge_without_the_server_is_waited_for(site: Site) -> None:
    """Nothing newer is stored: it could never be put into order any more."""
    away(site)
    before = site.cursor()
    command = site.consumer_command()
    consumer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert consumer.stderr is not None
    assert any(re.search(r"segments of 127\.0\.0\.1: ClientConnector", line) for line in consumer.stderr)
    assert site.cursor() == before
    consumer.send_signal(signal.SIGTERM)
    assert consumer.wait(30) == 0
    consumer.stderr.close()
    site.start_segments()
    drain(site, site.start_consumer())
    assert site.stored() == site.journaled()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/segments/../epoch", 404),
        ("GET", "/segments/..%2fepoch", 404),
        ("GET", "/segments/epoch", 404),
        ("GET", "/segments/lock", 404),
        ("GET", "/segments/%2Fetc%2Fpasswd", 404),
        ("GET", "/segments/00000001-000000000001.open", 404),
        ("GET", "/segments/00000009-000000000001-000000000009.seg", 404),
        ("GET", "/", 404),
        ("POST", "/segments", 405),
        ("DELETE", "/segments/{name}", 405),
        ("PUT", "/segments/{name}", 405),
        ("GET", "/segments/{name}", 200),
    ],
)
def test_only_sealed_segments_are_given(site: Site, method: str, path: str, status: int) -> None:
    finish(site.start_edge(100))
    (name,) = [path.name for path in sealed_files(site, 1)]
    (site.root / "journal" / "00000001-000000000001.open").write_bytes(b"open")
    site.start_segments()
    connection = http.client.HTTPConnection("127.0.0.1", site.segments_port, timeout=10)
    connection.request(method, path.format(name=name))
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == status
    assert (len(body) > 1000) == (status == 200)
