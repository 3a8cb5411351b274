import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from himari_runtime.settings import CollectorSettings, ConsumerSettings, SettingsError, credential, load, load_any

CONSUMER = """\
[source]
name = "edge"
[metrics]
address = "10.77.0.2"
port = 9465
[venue]
name = "binance"
symbols = ["BTC/USDT"]
[buffer]
host = "10.77.0.1"
port = 6379
user = "reader"
credential = "redis-reader"
[segments]
host = "10.77.0.1"
port = 9466
[parquet]
path = "/var/lib/himari/parquet"
min_free_bytes = 1000
flush_seconds = 60
flush_bytes = 67108864
[deadman]
silence_seconds = 60
disk_free = 0.2
gap_seconds = 60
webhook_credential = ""
state_file = "/var/lib/himari/deadman.json"
edge_metrics_url = "http://10.77.0.1:9100/metrics"
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "consumer.toml"
    path.write_text(text)
    return path


def test_a_file_is_read_as_typed(tmp_path: Path) -> None:
    settings = load(write(tmp_path, CONSUMER), ConsumerSettings)
    assert settings.parquet.path == Path("/var/lib/himari/parquet")
    assert (settings.buffer.port, settings.parquet.flush_seconds, settings.deadman.disk_free) == (6379, 60, 0.2)
    assert load_any(write(tmp_path, CONSUMER)) == settings


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("min_free_bytes = 1000", "min_free_bytes = -1", "parquet.min_free_bytes: Expected `int` >= 0"),
        ("min_free_bytes = 1000", 'min_free_bytes = "x"', "parquet.min_free_bytes: Expected `int`, got `str`"),
        ("port = 9465", "port = 70000", "metrics.port: Expected `int` <= 65535"),
        ('name = "edge"', 'name = "edge"\ncolour = 1', "source: Object contains unknown field `colour`"),
        ('user = "reader"', "", "buffer: Object missing required field `user`"),
        ("port = 6379\n", "", "buffer: Object missing required field `port`"),
        ("[parquet]", "[parquett]", "top level: Object contains unknown field `parquett`"),
        ("/var/lib/himari/parquet", "parquet", "parquet.path: expected an absolute path, got 'parquet'"),
        ('symbols = ["BTC/USDT"]', "symbols = []", "venue.symbols: Expected `array` of length >= 1"),
        ("[source]", "[source", "not TOML"),
    ],
)
def test_wrong_settings_name_file_and_key(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = write(tmp_path, CONSUMER.replace(old, new, 1))
    with pytest.raises(SettingsError) as caught:
        load(path, ConsumerSettings)
    assert str(caught.value).startswith(f"{path}: {says}")


def test_no_setting_has_a_default() -> None:
    """Whoever writes the file decides; a default here would be a second place that says it."""
    sections: list[type] = [CollectorSettings, ConsumerSettings]
    for section in sections:
        fields = msgspec.structs.fields(section)
        assert [field.name for field in fields if not field.required] == []
        sections += [
            field.type for field in fields if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct)
        ]
    assert len(sections) > 8


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml: cannot be read: No such file"):
        load_any(tmp_path / "none.toml")


def test_credentials_come_from_systemds_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(SettingsError, match="CREDENTIALS_DIRECTORY is not set"):
        credential("redis-reader")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with pytest.raises(SettingsError, match="LoadCredential"):
        credential("redis-reader")
    (tmp_path / "redis-reader").write_text("secret\n")
    assert credential("redis-reader") == "secret"


def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("service", ["consumer", "deadman", "health"])
def test_the_command_says_what_is_wrong_without_a_traceback(tmp_path: Path, service: str) -> None:
    path = write(tmp_path, CONSUMER.replace("9465", "0"))
    code = "from himari_runtime.main import main; main()"
    ran = command("-c", code, service, "--settings", str(path))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == f"himari-runtime: {path}: metrics.port: Expected `int` >= 1\n"


@pytest.mark.parametrize("service", ["collector", "consumer", "deadman", "digest", "health"])
def test_help_has_an_example(service: str) -> None:
    code = "from himari_runtime.main import main; main()"
    ran = command("-c", code, service, "--help")
    assert ran.returncode == 0
    assert "Example: himari-runtime " + service in " ".join(ran.stdout.split())
