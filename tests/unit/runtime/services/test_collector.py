import errno
import os
from pathlib import Path

import pytest

from himari_runtime.services.collector import run
from himari_runtime.settings import CollectedVenue, CollectorSettings, Metrics, PushedBuffer, Source
from tests.unit.runtime.made import journal_settings


@pytest.mark.asyncio
async def test_a_full_disk_at_start_ends_it_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "redis-pusher").write_text("x")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    journal = tmp_path / "journal"
    monkeypatch.setattr(os, "write", full)
    assert await run(settings(journal)) == 1
    monkeypatch.undo()
    [line] = caplog.messages
    assert line == f"the journal cannot be opened: {journal}: no space left, and no sealed segment to drop"


def settings(journal: Path) -> CollectorSettings:
    return CollectorSettings(
        source=Source(name="edge"),
        metrics=Metrics(address="127.0.0.1", port=1),
        venue=CollectedVenue(
            name="binance",
            symbols=("BTC/USDT",),
            websocket_url="ws://127.0.0.1:1",
            rest_url="http://127.0.0.1:1",
            ca_file="",
            snapshot_levels=1000,
            book_poll_seconds=300,
            weight_per_minute=6000,
            lines=2,
            line_life_seconds=3600,
        ),
        journal=journal_settings(journal),
        buffer=PushedBuffer(
            host="127.0.0.1", port=1, user="pusher", credential="redis-pusher", linger_ms=5, window_records=1
        ),
    )
