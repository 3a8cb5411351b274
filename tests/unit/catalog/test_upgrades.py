from collections.abc import Callable
from typing import Any

from himari.catalog.component import View

Render = Callable[[str, View], Any]
Shipped = Callable[..., View]


APT = "/etc/apt/apt.conf.d/52himari-upgrades"
RESTART = "/etc/needrestart/conf.d/himari.conf"


def test_only_security_updates_and_no_reboot(rendered: Render, view: Shipped) -> None:
    text = rendered("upgrades", view("lab-edge", "edge")).files[APT]
    assert "#clear Unattended-Upgrade::Origins-Pattern;" in text
    assert text.count('"origin=') == text.count("label=Debian-Security") == 1
    assert 'Unattended-Upgrade::Automatic-Reboot "false";' in text


def test_nothing_that_carries_the_data_is_restarted(rendered: Render, view: Shipped) -> None:
    files = rendered("upgrades", view("lab-edge", "edge")).files
    assert '"^redis-server$";' in files[APT]
    assert all(f"qr(^{name}" in files[RESTART] for name in ("redis-server", "wg-quick@", "himari-"))
