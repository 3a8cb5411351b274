from collections.abc import Callable
from pathlib import Path
from typing import Any

from himari.catalog.component import View
from tests.unit.catalog import units

Render = Callable[[str, View], Any]
Shipped = Callable[..., View]
CONFIG, ACL = "/etc/redis/himari.conf", "/etc/redis/himari.acl"
DROP_IN = "/etc/systemd/system/redis-server.service.d/himari.conf"


def test_passwords_are_hashes_of_different_secrets(rendered: Render, view: Shipped) -> None:
    text = rendered("redis_buffer", view("lab-edge", "edge")).files[ACL]
    hashes = [word for word in text.split() if word.startswith("#")]
    assert [len(word) for word in hashes] == [65, 65, 65, 65]
    assert len(set(hashes)) == 4


def test_full_means_wait(rendered: Render, view: Shipped) -> None:
    said = rendered("redis_buffer", view("vps-brain", "edge")).files[CONFIG].splitlines()
    assert {"maxmemory-policy noeviction", f"maxmemory {2 * 1024**3}", "appendfsync everysec"} <= set(said)
    assert "bind 127.0.0.1 -10.77.0.1" in said


def test_children_keep_off_the_main_threads_cpu(rendered: Render, view: Shipped) -> None:
    said = dict(
        line.split(None, 1)
        for line in rendered("redis_buffer", view("lab-edge", "edge")).files[CONFIG].splitlines()
        if "_cpulist" in line
    )
    assert said["server_cpulist"] == "1"
    assert {said[f"{kind}_cpulist"] for kind in ("bio", "aof_rewrite", "bgsave")} == {"0"}


def test_the_drop_in_may_set_cpus_and_stays_sandboxed(rendered: Render, view: Shipped, tmp_path: Path) -> None:
    buffer = rendered("redis_buffer", view("lab-edge", "edge"))
    (unit,) = buffer.component.units
    folder = tmp_path / "redis-server.service.d"
    folder.mkdir()
    (folder / "himari.conf").write_text(buffer.files[DROP_IN])
    debians = Path("/lib/systemd/system/redis-server.service").read_text()
    assert units.exposure(tmp_path, "redis-server.service", debians) < unit.exposure_max <= 3
    said = units.lines(buffer.files[DROP_IN])
    assert {"Restart=always", "StartLimitIntervalSec=0", "RestartSec=5"} <= set(said)  # never given up, and no spinning
    filters = [line.partition("=")[2] for line in said if line.startswith("SystemCallFilter=")]
    assert filters == ["", "@system-service", "~@privileged @resources", "sched_setaffinity"]
