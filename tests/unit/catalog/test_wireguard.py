from collections.abc import Callable
from typing import Any

import msgspec

from himari.catalog.component import View

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
