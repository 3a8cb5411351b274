"""Sections of settings as tests want them: without limits that bite by themselves."""

from pathlib import Path

from himari_runtime.settings import JournalSettings, ParquetSettings


def journal_settings(path: Path, segment_bytes: int = 1 << 24) -> JournalSettings:
    """Of a journal in `path`."""
    return JournalSettings(
        path=path,
        max_bytes=1 << 30,
        segment_bytes=segment_bytes,
        min_free_bytes=0,
        segment_seconds=60,
        fsync_ms=200,
    )


def parquet_settings(path: Path, min_free_bytes: int = 0) -> ParquetSettings:
    """Of a store in `path`."""
    return ParquetSettings(path=path, min_free_bytes=min_free_bytes, flush_seconds=60, flush_bytes=64 << 20)
