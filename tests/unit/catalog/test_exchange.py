from collections.abc import Callable
from pathlib import Path
from typing import Any

from himari.catalog.component import Feed, View
from himari_exchange.settings import Settings, read_settings
from tests.unit.catalog import units

Render = Callable[[str, View], Any]
Shipped = Callable[..., View]
SETTINGS = "/etc/himari/exchange.toml"
UNIT = "/etc/systemd/system/himari-exchange.service"


def settings(folder: Path, text: str) -> Settings:
    path = folder / "exchange.toml"
    path.write_text(text)
    return read_settings(path)


def test_the_market_is_the_stacks(rendered: Render, view: Shipped, tmp_path: Path) -> None:
    said = settings(tmp_path, rendered("exchange", view("lab-edge", "exchange")).files[SETTINGS])
    assert said.replay is None
    assert said.market is not None
    assert said.market.symbols == ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT")
    assert said.market.frames_per_s == 400
    assert said.control.address == "127.0.0.1"


def test_a_recording_is_replayed_instead(rendered: Render, view: Shipped, tmp_path: Path) -> None:
    feed = Feed(recording_sha256="ab" * 32, speed=10.0)
    said = settings(tmp_path, rendered("exchange", view("lab-edge", "exchange", feed)).files[SETTINGS])
    assert said.market is None
    assert said.replay is not None
    assert (said.replay.path, said.replay.speed) == (feed.recording_path, 10.0)


def test_its_certificate_is_public_and_its_key_a_credential(rendered: Render, view: Shipped) -> None:
    exchange = rendered("exchange", view("lab-edge", "exchange"))
    certificate = exchange.files["/etc/himari/tls/exchange.pem"]
    assert certificate.startswith("-----BEGIN CERTIFICATE-----")
    assert certificate.endswith("-----END CERTIFICATE-----\n")
    assert [credential.name for credential in exchange.component.credentials] == ["exchange-key"]
    assert not any("PRIVATE KEY" in text for text in exchange.files.values())


def test_its_unit_is_sandboxed(rendered: Render, view: Shipped, tmp_path: Path) -> None:
    exchange = rendered("exchange", view("lab-edge", "exchange"))
    (unit,) = exchange.component.units
    assert units.exposure(tmp_path, unit.name, exchange.files[UNIT]) < unit.exposure_max <= 3
