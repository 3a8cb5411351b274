import errno
import os
from pathlib import Path

import pytest

from himari_runtime.services.collector import run
from himari_runtime.settings import CollectedVenue, CollectorSettings, JournalSettings, Metrics, PushedBuffer, Source


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
            name="binance", symbols=("BTC/USDT",), websocket_url="ws://127.0.0.1:1", rest_url="http://127.0.0.1:1"
        ),
        journal=JournalSettings(path=journal, max_bytes=1 << 30, segment_bytes=1 << 20, min_free_bytes=0),
        buffer=PushedBuffer(host="127.0.0.1", user="pusher", credential="redis-pusher", window_records=1),
    )
