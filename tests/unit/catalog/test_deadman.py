from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from himari.catalog.component import View
from himari.stack.model import Alerts
from tests.unit.catalog import units

Render = Callable[[str, View], Any]
Shipped = Callable[..., View]
SERVICE = "/etc/systemd/system/himari-deadman.service"
TIMER = "/etc/systemd/system/himari-deadman.timer"


def alerted(view: View, **alerts: Any) -> View:
    return msgspec.structs.replace(view, stack=msgspec.structs.replace(view.stack, alerts=Alerts(**alerts)))


@pytest.mark.parametrize(("silence", "every"), [(60, 30), (20, 10), (4, 5), (3600, 30)])
def test_the_timer_looks_twice_in_a_silence(rendered: Render, view: Shipped, silence: int, every: int) -> None:
    deadman = rendered("deadman", alerted(view("lab-edge", "brain"), silence_seconds=silence))
    assert f"OnUnitInactiveSec={every}" in units.lines(deadman.files[TIMER])


def test_without_a_webhook_it_reaches_nobody_outside(rendered: Render, view: Shipped, tmp_path: Path) -> None:
    deadman = rendered("deadman", view("lab-edge", "brain"))
    assert deadman.component.credentials == ()
    assert "IPAddressDeny=any" in units.lines(deadman.files[SERVICE])
    assert units.exposure(tmp_path, "himari-deadman.service", deadman.files[SERVICE]) < 3


def test_the_webhook_is_a_credential(rendered: Render, view: Shipped) -> None:
    deadman = rendered("deadman", alerted(view("lab-edge", "brain"), webhook="https://hooks.example.org/x"))
    assert [credential.name for credential in deadman.component.credentials] == ["webhook"]
    assert "LoadCredentialEncrypted=webhook:/etc/credstore.encrypted/webhook" in units.lines(deadman.files[SERVICE])
    assert not any("hooks.example.org" in text for text in deadman.files.values())


def test_the_timer_starts_the_service(rendered: Render, view: Shipped) -> None:
    service, timer = rendered("deadman", view("lab-edge", "brain")).component.units
    assert (service.active, service.enabled) == (False, False)
    assert (timer.active, timer.enabled) == (True, True)
