"""A heartbeat is journaled before it is told, and describes the moment of its beat."""

import asyncio
import time

import msgspec
import pytest

from himari_runtime.feeds import heartbeats
from himari_runtime.feeds.heartbeats import Heartbeats
from himari_runtime.feeds.intake import Intake
from himari_runtime.messages import START, Channel, Heartbeat, Kind
from himari_runtime.transport.journal import Journal
from himari_runtime.transport.reader import JournalReader
from himari_runtime.venues.registry import dialect


@pytest.mark.asyncio
async def test_beats_are_journaled_then_told(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeats, "PERIOD_SECONDS", 0.05)
    intake, third = Intake(dialect("binance"), journal), asyncio.Event()
    told: list[Heartbeat] = []
    journaled: list[int] = []

    def beaten(heartbeat: Heartbeat) -> None:
        told.append(heartbeat)
        journaled.append(intake.counts[Channel.HEARTBEAT])
        if len(told) == 3:
            third.set()

    beats = Heartbeats(intake, lambda time_ns: Heartbeat(time_ns=time_ns, reconnects=len(told)), beaten)
    task = asyncio.create_task(beats.run())
    await asyncio.wait_for(third.wait(), 10)
    task.cancel()
    reader = JournalReader(journal.settings.path, START)
    records = [record for record in reader.read() if record.kind == Kind.HEARTBEAT]
    reader.close()
    assert journaled == [1, 2, 3]
    assert [msgspec.json.decode(record.payload, type=Heartbeat) for record in records] == told
    assert [heartbeat.reconnects for heartbeat in told] == [0, 1, 2]
    assert all(0 <= record.received_ns - beat.time_ns < 10**9 for record, beat in zip(records, told, strict=True))


@pytest.mark.asyncio
async def test_beats_that_a_stall_missed_are_not_made_up_for(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeats, "PERIOD_SECONDS", 0.1)
    times: list[float] = []
    third = asyncio.Event()

    def beaten(_: Heartbeat) -> None:
        times.append(time.monotonic())
        if len(times) == 1:
            time.sleep(0.35)  # the whole loop stands still, as on a busy machine
        if len(times) == 3:
            third.set()

    beats = Heartbeats(Intake(dialect("binance"), journal), lambda time_ns: Heartbeat(time_ns=time_ns), beaten)
    task = asyncio.create_task(beats.run())
    await asyncio.wait_for(third.wait(), 10)
    task.cancel()
    assert times[2] - times[1] >= 0.08
