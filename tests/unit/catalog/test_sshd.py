from collections.abc import Callable
from typing import Any

from himari.catalog.component import View

Render = Callable[[str, View], Any]
Shipped = Callable[..., View]


DROP_IN = "/etc/ssh/sshd_config.d/00-himari.conf"


def words(text: str) -> dict[str, str]:
    lines = (line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#"))
    return dict(lines)


def test_one_user_a_key_and_no_root(rendered: Render, view: Shipped) -> None:
    said = words(rendered("sshd", view("lab-edge", "edge")).files[DROP_IN])
    assert said["AllowUsers"] == "himari"
    assert said["PermitRootLogin"] == "no"
    assert said["PasswordAuthentication"] == said["KbdInteractiveAuthentication"] == "no"
    assert said["AuthenticationMethods"] == "publickey"


def test_only_local_ports_are_forwarded(rendered: Render, view: Shipped) -> None:
    said = words(rendered("sshd", view("lab-edge", "edge")).files[DROP_IN])
    assert said["AllowTcpForwarding"] == "local"
    assert {said[key] for key in ("AllowAgentForwarding", "X11Forwarding", "PermitTunnel", "GatewayPorts")} == {"no"}


def test_weak_algorithms_are_taken_from_the_releases_own_list(rendered: Render, view: Shipped) -> None:
    said = words(rendered("sshd", view("lab-edge", "edge")).files[DROP_IN])
    assert all(said[key].startswith("-") for key in ("KexAlgorithms", "Ciphers", "MACs", "HostKeyAlgorithms"))


def test_a_change_is_checked_guarded_and_reloaded(rendered: Render, view: Shipped) -> None:
    component = rendered("sshd", view("lab-edge", "edge")).component
    (file,), (unit,) = component.files, component.units
    assert file.check == ("/usr/sbin/sshd", "-t", "-f", "{}")
    assert file.guard == "sshd"
    assert unit.reload
    assert unit.watches == (DROP_IN,)
