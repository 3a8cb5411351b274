from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from himari.catalog.component import View
from himari.stack.model import Alerts
from himari_runtime.settings import ConsumerSettings, load
from tests.unit.catalog import units

Render = Callable[[str, View], Any]
Shipped = Callable[..., View]
SETTINGS = "/etc/himari/consumer.toml"
UNIT = "/etc/systemd/system/himari-consumer.service"


def settings(folder: Path, text: str) -> ConsumerSettings:
    path = folder / "consumer.toml"
    path.write_text(text)
    return load(path, ConsumerSettings)


@pytest.mark.parametrize("stack", ["lab-edge", "vps-brain"])
def test_the_runtime_reads_its_settings(rendered: Render, view: Shipped, tmp_path: Path, stack: str) -> None:
    brain = view(stack, "brain")
    said = settings(tmp_path, rendered("consumer", brain).files[SETTINGS])
    assert (said.source.name, said.buffer.host, said.buffer.user) == ("edge", "10.77.0.1", "reader")
    assert (said.segments.host, said.segments.port) == ("10.77.0.1", 9466)
    assert said.metrics.address == "10.77.0.2"
    assert said.parquet.flush_seconds == brain.stack.retention.parquet_flush_seconds
    assert said.deadman.disk_free == brain.stack.alerts.disk_free
    assert said.deadman.webhook_credential == ""


def test_a_webhook_is_named_and_never_written(rendered: Render, view: Shipped, tmp_path: Path) -> None:
    brain = view("lab-edge", "brain")
    url = "https://hooks.example.org/secret"
    alerted = msgspec.structs.replace(brain, stack=msgspec.structs.replace(brain.stack, alerts=Alerts(webhook=url)))
    text = rendered("consumer", alerted).files[SETTINGS]
    assert settings(tmp_path, text).deadman.webhook_credential == "webhook"
    assert "hooks.example.org" not in text


def test_its_unit_reaches_the_tunnel_only(rendered: Render, view: Shipped, tmp_path: Path) -> None:
    consumer = rendered("consumer", view("lab-edge", "brain"))
    (unit,) = consumer.component.units
    said = units.lines(consumer.files[UNIT])
    assert units.exposure(tmp_path, unit.name, consumer.files[UNIT]) < unit.exposure_max <= 3
    assert {"IPAddressDeny=any", "IPAddressAllow=localhost 10.77.0.0/24", "KillMode=control-group"} <= set(said)
    assert {"StartLimitIntervalSec=0", "RestartSec=1"} <= set(said)  # as often as it takes, once a second
