from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from himari.catalog.component import Feed, View
from himari.stack.sizes import edge_sizes, linger_ms
from himari_runtime.settings import CollectorSettings, load
from tests.unit.catalog import units

Render = Callable[[str, View], Any]
Shipped = Callable[..., View]
SETTINGS = "/etc/himari/collector.toml"
UNIT = "/etc/systemd/system/himari-collector.service"


def settings(folder: Path, text: str) -> CollectorSettings:
    path = folder / "collector.toml"
    path.write_text(text)
    return load(path, CollectorSettings)


@pytest.mark.parametrize("stack", ["lab-edge", "vps-brain"])
def test_the_runtime_reads_its_settings(rendered: Render, view: Shipped, tmp_path: Path, stack: str) -> None:
    edge = view(stack, "edge")
    said = settings(tmp_path, rendered("collector", edge).files[SETTINGS])
    sizes = edge_sizes(edge.stack, edge.host)
    assert said.source.name == "edge"
    assert said.venue.symbols == edge.stack.venues["binance"].symbols
    assert (said.journal.max_bytes, said.journal.segment_bytes) == (sizes.journal_bytes, sizes.segment_bytes)
    assert said.buffer.window_records == sizes.window_records
    assert said.buffer.linger_ms == linger_ms(edge.stack)
    assert (said.metrics.address, said.metrics.port) == ("10.77.0.1", 9464)


def test_in_a_lab_the_venue_is_the_exchange_under_the_labs_authority(
    rendered: Render, view: Shipped, tmp_path: Path
) -> None:
    collector = rendered("collector", view("lab-edge", "edge"))
    said = settings(tmp_path, collector.files[SETTINGS])
    assert said.venue.websocket_url == "wss://exchange:9443"
    assert collector.files[said.venue.ca_file].startswith("-----BEGIN CERTIFICATE-----")


@pytest.mark.parametrize(("stack", "feed"), [("vps-brain", Feed()), ("lab-edge", Feed(live=True))])
def test_the_real_venue_is_trusted_by_the_systems_store(
    rendered: Render, view: Shipped, tmp_path: Path, stack: str, feed: Feed
) -> None:
    collector = rendered("collector", view(stack, "edge", feed))
    said = settings(tmp_path, collector.files[SETTINGS])
    assert said.venue.websocket_url.startswith("wss://stream.binance.com")
    assert said.venue.ca_file == ""
    assert collector.component.talks_to == ()


def test_a_mirror_is_reached_and_trusted_as_the_stack_file_says(
    rendered: Render, view: Shipped, tmp_path: Path
) -> None:
    own = tmp_path / "mirror.pem"
    own.write_text("-----BEGIN CERTIFICATE-----\n")
    edge = view("vps-brain", "edge")
    urls = {"websocket_url": "wss://mirror:9443", "rest_url": "https://mirror:9443", "ca_file": str(own)}
    venue = msgspec.structs.replace(edge.stack.venues["binance"], **urls)
    stack = msgspec.structs.replace(edge.stack, venues={"binance": venue})
    collector = rendered("collector", msgspec.structs.replace(edge, stack=stack))
    said = settings(tmp_path, collector.files[SETTINGS])
    assert (said.venue.websocket_url, said.venue.rest_url) == (urls["websocket_url"], urls["rest_url"])
    assert collector.files[said.venue.ca_file] == own.read_text()
    assert said.venue.ca_file in collector.component.units[0].watches


def test_its_unit_is_sandboxed_and_dies_whole(rendered: Render, view: Shipped, tmp_path: Path) -> None:
    collector = rendered("collector", view("lab-edge", "edge"))
    (unit,) = collector.component.units
    said = units.lines(collector.files[UNIT])
    assert units.exposure(tmp_path, unit.name, collector.files[UNIT]) < unit.exposure_max <= 3
    assert {"KillMode=control-group", "WatchdogSec=30", "Restart=always"} <= set(said)
    assert {"StartLimitIntervalSec=0", "RestartSec=1"} <= set(said)  # as often as it takes, once a second
    assert "LoadCredentialEncrypted=redis-pusher:/etc/credstore.encrypted/redis-pusher" in said


def test_a_changed_setting_wheel_or_password_restarts_it(rendered: Render, view: Shipped) -> None:
    (unit,) = rendered("collector", view("lab-edge", "edge")).component.units
    assert set(unit.watches) == {SETTINGS, "himari-runtime", "redis-pusher", "/etc/himari/tls/ca.pem"}
    assert not unit.reload
