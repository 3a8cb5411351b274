from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from himari.catalog.self_check import timer
from himari.runs.look import look, wanted
from himari.stack.known import KnownHost, write_known
from himari.stack.load import load_stack
from himari.stack.paths import StateDir
from himari.vault.authority import Authority


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


def test_certificates_of_the_stacks_authority_are_read_where_they_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The brain is this machine; its file is a test's own, and the probe reads it here."""
    issued = Authority.open(StateDir(tmp_path / "vault")).issue(
        "features", ["core"], now=datetime.now(UTC) - timedelta(days=355)
    )
    (tmp_path / "features.pem").write_text(issued.certificate)
    (tmp_path / "spoiled.pem").write_text("no certificate")
    paths = [str(tmp_path / name) for name in ("features.pem", "spoiled.pem", "none.pem")]
    monkeypatch.setattr("himari.runs.look._certificates", lambda parts: paths)
    monkeypatch.setenv("HIMARI_STATE", str(tmp_path))
    stack = load_stack("vps-brain")
    write_known(StateDir.of(stack.name).hosts, {"brain": KnownHost(address="local")})
    (brain,) = [host for host in look(stack, lambda _: None).hosts if host.host == "brain"]
    assert brain.probe is not None
    left = {certificate.name: round(certificate.days_left) for certificate in brain.probe.certificates}
    assert left == {"features.pem": 10, "spoiled.pem": 0}
    assert "features.pem ends in 10 days: himari up renews it" in brain.wrong


@pytest.mark.parametrize(
    ("host", "paths"),
    [
        ("exchange", ["/etc/himari/tls/exchange.pem"]),
        ("edge", ["/etc/himari/tls/ca.pem"]),
        ("core", ["/etc/himari/tls/ca.pem", "/etc/himari/tls/features.pem"]),
    ],
)
def test_each_host_s_certificates_are_looked_at(tmp_path: Path, host: str, paths: list[str]) -> None:
    assert set(wanted(load_stack("lab"), {}, StateDir(tmp_path), host)["certificates"]) >= set(paths)
