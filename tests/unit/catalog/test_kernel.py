from collections.abc import Callable
from typing import Any

from himari.catalog.component import View

Render = Callable[[str, View], Any]
Shipped = Callable[..., View]


SYSCTL = "/etc/sysctl.d/90-himari.conf"


def settings(text: str) -> dict[str, str]:
    lines = (line.removeprefix("-").split(" = ") for line in text.splitlines() if line and not line.startswith("#"))
    return dict(lines)


def test_settings_are_those_that_help(rendered: Render, view: Shipped) -> None:
    said = settings(rendered("kernel", view("lab-edge", "edge")).files[SYSCTL])
    assert said["net.core.default_qdisc"] == "fq"
    assert said["net.ipv4.tcp_congestion_control"] == "bbr"
    assert said["net.ipv4.tcp_retries2"] == "8"
    assert said["vm.overcommit_memory"] == "1"
    assert said["net.ipv4.ip_nonlocal_bind"] == "1"


def test_settings_that_do_nothing_or_harm_are_not_made(rendered: Render, view: Shipped) -> None:
    said = settings(rendered("kernel", view("lab-edge", "edge")).files[SYSCTL])
    assert said["net.ipv4.tcp_timestamps"] == "1"
    assert not {"net.ipv4.tcp_low_latency", "net.ipv4.tcp_fastopen", "fs.file-max"} & said.keys()


def test_swap_is_off_now_and_after_a_boot(rendered: Render, view: Shipped) -> None:
    kernel = rendered("kernel", view("lab-edge", "edge"))
    assert kernel.component.masked == ("swap.target",)
    assert "\nswapoff -a\n" in kernel.files["/usr/local/lib/himari/tune"]


def test_huge_pages_are_for_those_who_ask(rendered: Render, view: Shipped) -> None:
    pages = rendered("kernel", view("lab-edge", "edge")).files["/etc/tmpfiles.d/himari-pages.conf"]
    assert "w- /sys/kernel/mm/transparent_hugepage/enabled - - - - madvise\n" in pages
