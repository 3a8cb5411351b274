import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from himari.catalog.component import File, PublicFile, View
from himari.catalog.host import components
from himari.stack.load import load_stack
from tests.unit.catalog import units

Render = Callable[[str, View], Any]
Shipped = Callable[..., View]
NODE, REDIS = (f"/etc/systemd/system/prometheus-{name}-exporter.service.d/himari.conf" for name in ("node", "redis"))
SCRIPT = "/usr/local/lib/himari/redis-exporter-password"
DEBIANS = """[Service]
Restart=on-failure
User=prometheus
EnvironmentFile=/etc/default/{name}
ExecStart=/usr/bin/{name} $ARGS
SendSIGKILL=no
"""


def test_a_redis_exporter_is_beside_a_buffer_only(rendered: Render, view: Shipped) -> None:
    packages = {
        host: [package.name for package in rendered("exporters", view("lab-edge", host)).component.packages]
        for host in ("edge", "brain")
    }
    assert packages["edge"] == ["prometheus-node-exporter", "prometheus-redis-exporter"]
    assert packages["brain"] == ["prometheus-node-exporter"]


def test_the_features_are_watched_over_tls(rendered: Render, view: Shipped) -> None:
    made = rendered("exporters", view("lab", "core"))
    assert "-redis.addr=rediss://127.0.0.1:6380" in made.files[REDIS]
    assert "-tls-ca-cert-file=/etc/himari/tls/ca.pem" in made.files[REDIS]
    assert [one.name for one in made.component.credentials] == ["features-exporter"]
    assert "rediss://%s" in made.files[SCRIPT]


def test_the_history_is_watched_over_its_socket_without_a_password(
    rendered: Render, view: Shipped, tmp_path: Path
) -> None:
    made = rendered("exporters", view("lab", "core"))
    name = "prometheus-postgres-exporter.service"
    text = made.files[f"/etc/systemd/system/{name}.d/himari.conf"]
    said = set(units.lines(text))
    assert "--web.listen-address=10.77.0.3:9187" in text
    source = "host=/run/himari-postgresql user=exporter dbname=himari_analytics sslmode=disable"
    assert {f'Environment="DATA_SOURCE_NAME={source}"', "User=himari-postgresql-exporter", "Restart=always"} <= said
    (tmp_path / f"{name}.d").mkdir()
    (tmp_path / f"{name}.d" / "himari.conf").write_text(text)
    (bound,) = (unit.exposure_max for unit in made.component.units if unit.name == name)
    assert units.exposure(tmp_path, name, DEBIANS.format(name=name.removesuffix(".service"))) < bound <= 3


def test_they_are_bound_to_the_tunnels_address(rendered: Render, view: Shipped) -> None:
    files = rendered("exporters", view("lab-edge", "edge")).files
    assert "--web.listen-address=10.77.0.1:9100" in files[NODE]
    assert "-web.listen-address=10.77.0.1:9121" in files[REDIS]


@pytest.mark.parametrize("path", [NODE, REDIS])
def test_each_is_sandboxed_bounded_and_started_again(
    rendered: Render, view: Shipped, tmp_path: Path, path: str
) -> None:
    exporters = rendered("exporters", view("lab-edge", "edge"))
    service = path.split("/")[-2].removesuffix(".d")
    (tmp_path / f"{service}.d").mkdir()
    (tmp_path / f"{service}.d" / "himari.conf").write_text(exporters.files[path])
    (bound,) = (unit.exposure_max for unit in exporters.component.units if unit.name == service)
    assert units.exposure(tmp_path, service, DEBIANS.format(name=service.removesuffix(".service"))) < bound <= 3
    said = units.lines(exporters.files[path])
    assert {"Restart=always", "StartLimitIntervalSec=0", "SendSIGKILL=yes", "MemoryMax=128M", "CPUAffinity=0"} <= set(
        said
    )


def test_the_node_exporter_sees_disks_as_they_are(rendered: Render, view: Shipped) -> None:
    said = dict(line.split("=", 1) for line in units.lines(rendered("exporters", view("lab-edge", "edge")).files[NODE]))
    assert (said["ProtectSystem"], said["ProcSubset"]) == ("no", "all")
    assert "($$|/)" in said["ExecStart"]  # systemd reads one $ as the begin of a variable


def test_the_password_is_for_the_buffer_alone(rendered: Render, view: Shipped, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(rendered("exporters", view("lab-edge", "edge")).files[SCRIPT])
    (tmp_path / "redis-exporter").write_text("s3cret")
    where = {"CREDENTIALS_DIRECTORY": str(tmp_path), "RUNTIME_DIRECTORY": str(tmp_path)}
    subprocess.run(["sh", str(script)], check=True, env={"PATH": os.environ["PATH"], **where})
    made = tmp_path / "passwords.json"
    assert json.loads(made.read_text()) == dict.fromkeys(
        ("redis://127.0.0.1:6379", "redis://exporter@127.0.0.1:6379"), "s3cret"
    )
    assert made.stat().st_mode & 0o777 == 0o600


def test_the_password_is_in_no_argument_and_no_variable(rendered: Render, view: Shipped) -> None:
    said = units.lines(rendered("exporters", view("lab-edge", "edge")).files[REDIS])
    assert not any(line.startswith("Environment=") for line in said)
    assert "EnvironmentFile=" in said
    assert "LoadCredentialEncrypted=redis-exporter:/etc/credstore.encrypted/redis-exporter" in said
    assert "RuntimeDirectoryMode=0700" in said


def test_no_other_service_shares_the_user_who_holds_it(rendered: Render, view: Shipped) -> None:
    exporters = rendered("exporters", view("lab-edge", "edge"))
    assert [user.name for user in exporters.component.users] == ["himari-exporter"]
    assert "User=himari-exporter" in units.lines(exporters.files[REDIS])
    assert not any(line.startswith("User=") for line in units.lines(exporters.files[NODE]))


METRICS = "/etc/himari/metrics/certificates.prom"


def test_certificates_ends_are_told_where_their_servers_are(rendered: Render, view: Shipped) -> None:
    made = rendered("exporters", view("lab", "core"))
    ends = dict(line.rsplit(" ", 1) for line in made.files[METRICS].splitlines() if not line.startswith("#"))
    days = {name.split('"')[1]: (int(at) - time.time()) / 86_400 for name, at in ends.items()}
    names = {line.partition("{")[0] for line in ends}
    assert names == {"himari_certificate_not_after_seconds"}
    assert (days["features.pem"], days["ca.pem"]) == (pytest.approx(365, abs=1), pytest.approx(3650, abs=1))
    assert "--collector.textfile.directory=/etc/himari/metrics" in made.files[NODE]


def test_a_stack_without_a_certificate_of_its_own_tells_of_none(rendered: Render, view: Shipped) -> None:
    made = rendered("exporters", view("vps-brain", "edge"))
    assert METRICS not in made.files
    assert "/etc/himari/metrics" in [folder.path for folder in made.component.directories]


@pytest.mark.parametrize("stack", ["lab", "lab-edge", "vps-brain"])
def test_each_server_of_a_host_with_exporters_is_told_of(rendered: Render, view: Shipped, stack: str) -> None:
    """A certificate that a component shows is among those whose end is told."""
    for host in load_stack(stack).hosts:
        parts = [part for _, part in components(view(stack, host))]
        shown = {
            value.name for part in parts for file in part.files for value in file.values.values() if is_ours(value)
        }
        told = {name for part in parts if part.name == "exporters" for file in part.files for name in told_by(file)}
        assert shown <= told or not any(part.name == "exporters" for part in parts)


def is_ours(value: object) -> bool:
    return isinstance(value, PublicFile) and value.name != "venue-ca.pem"


def told_by(file: File) -> list[str]:
    return [end.name for end in file.values["ends"].values()] if file.path == METRICS else []
