from collections.abc import Callable
from typing import Any

from himari.catalog.component import Component, View
from himari.catalog.registry import declaration

Render = Callable[[str, View], Any]
Shipped = Callable[..., View]
FILE = "/etc/himari/tls/ca.pem"


def test_whoever_shows_or_checks_certificates_has_the_same_authority(rendered: Render, view: Shipped) -> None:
    held = {host: rendered("authority", view("lab", host)).files[FILE] for host in ("brain", "core")}
    assert held["brain"] == held["core"]
    assert held["brain"].startswith("-----BEGIN CERTIFICATE-----")


def test_where_there_is_no_store_there_is_nothing_to_trust(view: Shipped) -> None:
    assert declaration("authority")(view("vps-brain", "brain")) == Component(name="authority")
