import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from himari.catalog.component import View
from himari.catalog.wireguard import GONE, KEEP, KEEPER, KEEPER_TIMER, UNIT
from tests.unit.catalog import units

Render = Callable[[str, View], Any]
Shipped = Callable[..., View]
CONFIG = "/etc/wireguard/wg0.conf"


def said(rendered: Render, view: View) -> list[str]:
    return [line for line in rendered("wireguard", view).files[CONFIG].splitlines() if line and line[0] != "#"]


def test_the_private_key_is_in_no_file_that_travels(rendered: Render, view: Shipped) -> None:
    lines = said(rendered, view("lab-edge", "edge"))
    assert not any(line.startswith("PrivateKey") for line in lines)
    assert "PostUp = wg set %i private-key /etc/wireguard/private.key" in lines


def test_a_peer_has_one_address(rendered: Render, view: Shipped) -> None:
    assert "AllowedIPs = 10.77.0.2/32" in said(rendered, view("lab-edge", "edge"))
    assert "AllowedIPs = 10.77.0.1/32" in said(rendered, view("lab-edge", "brain"))


def test_only_the_brain_calls_and_keeps_its_way_open(rendered: Render, view: Shipped) -> None:
    brain, edge = said(rendered, view("lab-edge", "brain")), said(rendered, view("lab-edge", "edge"))
    assert {"Endpoint = 10.200.7.3:51820", "PersistentKeepalive = 25"} <= set(brain)
    assert not any(line.startswith(("Endpoint", "PersistentKeepalive")) for line in edge)


def test_a_peer_without_a_key_is_left_out(rendered: Render, view: Shipped) -> None:
    lines = said(rendered, msgspec.structs.replace(view("lab-edge", "edge"), known={}))
    assert "[Interface]" in lines
    assert "[Peer]" not in lines


def test_a_change_is_guarded_and_restarts_as_a_reload_erases_the_key(rendered: Render, view: Shipped) -> None:
    component = rendered("wireguard", view("lab-edge", "edge")).component
    file, unit = component.files[0], component.units[0]
    assert (file.guard, file.mode) == ("wireguard", 0o600)
    assert not unit.reload


@pytest.fixture
def tools(tmp_path: Path) -> Callable[[int, int], Path]:
    """Puts an `ip` and a `systemctl` in place that end as told; the latter notes what it is to restart."""

    def put(shows: int, is_active: int) -> Path:
        noted = tmp_path / "restarted"
        active = f'[ "$1" != is-active ] || exit {is_active}'
        for name, text in (("ip", f"exit {shows}"), ("systemctl", f'{active}; echo "$*" >>{noted}')):
            (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
            (tmp_path / name).chmod(0o755)
        return noted

    return put


@pytest.mark.parametrize(
    ("shows", "is_active", "restarted"),
    [(0, 0, ""), (1, 0, f"try-restart {UNIT}\n"), (1, 3, ""), (0, 3, "")],
    ids=["there", "gone", "gone with its unit", "there before its unit is up"],
)
def test_an_interface_that_went_without_its_unit_is_made_again(
    tools: Callable[[int, int], Path], shows: int, is_active: int, restarted: str
) -> None:
    noted = tools(shows, is_active)
    path = f"{noted.parent}:{os.environ['PATH']}"
    done = subprocess.run(("sh", "-c", KEEP), env={"PATH": path}, capture_output=True, text=True, check=True)
    assert (noted.read_text() if noted.exists() else "") == restarted
    assert (GONE in done.stdout) is bool(restarted)


def test_the_keeper_is_bounded_and_looks_by_a_timer(rendered: Render, view: Shipped, tmp_path: Path) -> None:
    made = rendered("wireguard", view("lab-edge", "brain"))
    text = made.files[f"/etc/systemd/system/{KEEPER}"]
    assert units.exposure(tmp_path, KEEPER, text) < 3
    assert f'ExecStart=/bin/sh -c "{KEEP}"' in units.lines(text)
    assert {(one.name, one.active) for one in made.component.units} >= {(KEEPER, False), (KEEPER_TIMER, True)}
