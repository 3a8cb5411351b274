from pathlib import Path

import pytest

from himari.catalog.self_check import timer
from himari.runs.look import look, wanted
from himari.stack.known import KnownHost, write_known
from himari.stack.load import load_stack
from himari.stack.paths import StateDir


def test_a_unit_that_a_timer_starts_is_looked_at_as_such(tmp_path: Path) -> None:
    what = wanted(load_stack("lab-edge"), {}, StateDir(tmp_path), "brain")
    assert {"himari-consumer.service", "himari-deadman.service", "himari-deadman.timer"} <= set(what["units"])
    looks = ["himari-self-check-daily.service", "himari-self-check-weekly.service"]
    assert what["timed"] == ["himari-tunnel.service", "himari-deadman.service", *looks]


def test_what_a_container_cannot_run_is_named(tmp_path: Path) -> None:
    what = wanted(load_stack("lab-edge"), {}, StateDir(tmp_path), "edge")
    assert "chrony.service" in what["beyond_containers"]
    assert "himari-collector.service" not in what["beyond_containers"]


def test_a_self_check_that_was_never_made_is_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The brain is this machine, with a systemd whose timer has been active since a second after its start."""
    shown = f"Id={timer('daily')}\\nActiveState=active\\nActiveEnterTimestampMonotonic=1000000\\nResult=success\\n"
    for name, script in (("systemctl", f"printf '{shown}'"), ("systemd-run", ""), ("sudo", 'shift; exec "$@"')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("HIMARI_STATE", str(tmp_path))
    monkeypatch.setattr("himari.catalog.hostpaths.SELF_CHECKS", str(tmp_path))
    monkeypatch.setattr("himari.runs.look.FIRST_LOOK_MOST_S", 0.0)  # this machine may have just started
    stack = load_stack("vps-brain")
    write_known(StateDir.of(stack.name).hosts, {"brain": KnownHost(address="local")})
    (brain,) = [host for host in look(stack, lambda _: None).hosts if host.host == "brain"]
    assert [line for line in brain.wrong if line.startswith("no daily self-check was made")]
