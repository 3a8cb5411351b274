"""What a benchmark writes for a service is what the service reads."""

from pathlib import Path

from benchmarks._frames import symbols
from benchmarks._settings import collector_settings, consumer_settings
from himari_runtime.settings import CollectorSettings, ConsumerSettings, load


def test_the_collector_reads_its_settings(tmp_path: Path) -> None:
    text = collector_settings(
        tmp_path, 1000, venue="localhost:1", ca_file="", metrics=1, redis=2, lines=2, linger=5.0, window=500
    )
    (tmp_path / "collector.toml").write_text(text)
    settings = load(tmp_path / "collector.toml", CollectorSettings)
    assert settings.venue.symbols == symbols(1000)
    assert settings.buffer.window_records == 500


def test_the_consumer_reads_its_settings(tmp_path: Path) -> None:
    text = consumer_settings(str(tmp_path), 3, edge="192.0.2.1", metrics=1, redis=2)
    (tmp_path / "consumer.toml").write_text(text)
    assert load(tmp_path / "consumer.toml", ConsumerSettings).buffer.host == "192.0.2.1"


def test_a_thousand_symbols_have_a_name_each() -> None:
    assert len(set(symbols(1000))) == 1000
    assert symbols(1000)[:20] == symbols(20)
