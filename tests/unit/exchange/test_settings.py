from pathlib import Path

import pytest

from himari_exchange.errors import SettingsError
from himari_exchange.settings import read_settings

GOOD = """
[listen]
address = "0.0.0.0"
port = 9443
certificate_file = "/etc/himari/tls/exchange.pem"
[control]
address = "127.0.0.1"
port = 9444
[ledger]
path = "/var/lib/himari-exchange"
max_bytes = 1000000
[market]
symbols = ["BTCUSDT"]
seed = 7
frames_per_s = 400
"""
REPLAY = '[replay]\npath = "/recording.gz"\nspeed = 1.0\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "exchange.toml"


def test_reads_a_seeded_market(file: Path) -> None:
    file.write_text(GOOD)
    settings = read_settings(file)
    assert settings.market is not None
    assert (settings.market.symbols, settings.market.frames_per_s) == (("BTCUSDT",), 400)
    assert settings.limits.weight_per_minute == 6000


def test_reads_a_replay(file: Path) -> None:
    file.write_text(GOOD.partition("[market]")[0] + REPLAY)
    settings = read_settings(file)
    assert settings.replay is not None
    assert settings.replay.speed == 1.0


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("port = 9443", "port = 0", "listen.port"),
        ("port = 9443", 'port = "x"', "listen.port"),
        ("port = 9443", "", "listen"),
        ("port = 9444", "", "control"),
        ("seed = 7", "sead = 7", "market"),
        ('address = "127.0.0.1"', 'address = "0.0.0.0"', "control.address"),
        ('address = "127.0.0.1"', 'address = "here"', "control.address"),
        ('["BTCUSDT"]', '["BTC/USDT"]', "market.symbols"),
        ('["BTCUSDT"]', '["BTCUSDT", "BTCUSDT"]', "market.symbols"),
        ('["BTCUSDT"]', "[]", "market.symbols"),
        ("frames_per_s = 400", "frames_per_s = 0", "market.frames_per_s"),
        ("max_bytes = 1000000", "max_bytes = 10", "ledger.max_bytes"),
        ("[ledger]", REPLAY + "[ledger]", ""),
    ],
)
def test_names_the_file_and_the_key_that_is_wrong(file: Path, old: str, new: str, key: str) -> None:
    file.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(SettingsError) as raised:
        read_settings(file)
    assert raised.value.where == (f"{file}: {key}" if key else str(file))


@pytest.mark.parametrize("text", ["[listen", "", GOOD.partition("[market]")[0]])
def test_refuses_what_is_not_complete(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(SettingsError) as raised:
        read_settings(file)
    assert raised.value.where == str(file)


def test_says_that_a_file_is_missing(file: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        read_settings(file)
