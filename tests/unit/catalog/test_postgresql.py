import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509

from himari.catalog import postgresql
from himari.catalog.component import View
from himari.stack.sizes import MIB, analytics_sizes
from tests.unit.catalog import units

Render = Callable[[str, View], Any]
Shipped = Callable[..., View]
CERTIFICATE = "/etc/himari/tls/analytics.pem"


def settings(text: str) -> dict[str, str]:
    lines = (line.split(" = ", 1) for line in text.splitlines() if " = " in line and not line.startswith("#"))
    return {name: value.strip("'") for name, value in lines}


def test_it_listens_on_loopback_and_in_the_tunnel_with_tls(rendered: Render, view: Shipped) -> None:
    said = settings(rendered("postgresql", view("lab", "core")).files[postgresql.MAIN])
    assert said["listen_addresses"] == "127.0.0.1,10.77.0.3"
    assert (said["ssl"], said["password_encryption"]) == ("on", "scram-sha-256")
    assert said["ssl_key_file"] == f"/run/credentials/{postgresql.UNIT}/analytics-key"


def test_its_sizes_follow_from_the_host(rendered: Render, view: Shipped) -> None:
    core = view("lab", "core")
    large = msgspec.structs.replace(core.host, memory_mb=8 * (core.host.memory_mb or 0))
    grown = msgspec.structs.replace(
        core, stack=msgspec.structs.replace(core.stack, hosts=core.stack.hosts | {"core": large})
    )
    held = [
        int(settings(rendered("postgresql", one).files[postgresql.MAIN])["shared_buffers"].removesuffix("kB"))
        for one in (core, grown)
    ]
    assert held[0] == analytics_sizes(core.host).buffers // 8192 * 8  # in whole blocks of 8 kB
    assert held[1] > 8 * held[0]
    limit = re.search(r"MemoryMax=(\d+)", rendered("postgresql", core).files["/etc/systemd/system/" + postgresql.UNIT])
    assert limit is not None
    assert int(limit.group(1)) == analytics_sizes(core.host).memory > 3 * held[0] * 1024


def test_what_it_may_take_is_its_part_of_the_memory(view: Shipped) -> None:
    host = view("lab", "core").host
    sizes = analytics_sizes(host)
    assert sizes.buffers + sizes.maintenance + sizes.work < sizes.cache + sizes.work < sizes.memory
    assert sizes.memory < (host.memory_mb or 0) * MIB
    assert sizes.wal_least < sizes.wal_most <= (host.disk_gb or 0) * 10**9 // 20


def hba(rendered: Render, view: View) -> list[list[str]]:
    lines = rendered("postgresql", view).files[postgresql.HBA].splitlines()
    return [line.split() for line in lines if not line.startswith("#")]


def test_other_hosts_come_as_readers_and_only_those_that_talk_to_it(rendered: Render, view: Shipped) -> None:
    remote = [line for line in hba(rendered, view("lab", "core")) if line[0] != "local"]
    assert remote == [
        ["hostssl", "himari_analytics", "owner,writer,reader", "127.0.0.1/32", "scram-sha-256"],
        ["hostssl", "himari_analytics", "reader", "10.77.0.2/32", "scram-sha-256"],
    ]


def test_on_the_host_itself_each_user_is_who_the_kernel_says(rendered: Render, view: Shipped) -> None:
    local = [line for line in hba(rendered, view("lab", "core")) if line[0] == "local"]
    assert all(line[3] == "peer" for line in local)
    assert "trust" not in rendered("postgresql", view("lab", "core")).files[postgresql.HBA]
    ident = rendered("postgresql", view("lab", "core")).files[postgresql.IDENT].splitlines()[1:]
    assert [line.split() for line in ident] == [["himari", *pair] for pair in postgresql.PEERS.items()]


def test_a_password_is_in_no_file(rendered: Render, view: Shipped) -> None:
    made = rendered("postgresql", view("lab", "core"))
    text = made.files[postgresql.ROLES]
    assert len(set(re.findall(r"PASSWORD '(SCRAM-SHA-256\$4096:[^']+)'", text))) == len(postgresql.LOGINS)
    (roles,) = (one for one in made.component.files if one.path == postgresql.ROLES)
    assert (roles.mode, roles.group) == (0o640, "postgres")


def test_its_certificate_names_every_way_to_it(rendered: Render, view: Shipped) -> None:
    text = rendered("postgresql", view("lab", "core")).files[CERTIFICATE]
    shown = x509.load_pem_x509_certificate(text.encode())
    names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(name.value) for name in names} == {"core", "10.77.0.3", "10.200.7.5", "127.0.0.1", "localhost"}


@pytest.mark.parametrize("name", [postgresql.UNIT, postgresql.ROLES_UNIT, postgresql.UPKEEP])
def test_each_unit_is_sandboxed_and_bounded(rendered: Render, view: Shipped, tmp_path: Path, name: str) -> None:
    made = rendered("postgresql", view("lab", "core"))
    (unit,) = (one for one in made.component.units if one.name == name)
    text = made.files[f"/etc/systemd/system/{name}"]
    assert units.exposure(tmp_path, name, text) < unit.exposure_max <= 3
    said = units.lines(text)
    assert {"LimitCORE=0", "MemorySwapMax=0"} <= set(said)
    assert any(line.startswith("MemoryMax=") for line in said)


def test_the_server_stops_in_order_and_outlives_a_session(rendered: Render, view: Shipped) -> None:
    said = units.lines(rendered("postgresql", view("lab", "core")).files[f"/etc/systemd/system/{postgresql.UNIT}"])
    assert {"Type=notify", "KillMode=mixed", "KillSignal=SIGINT", "OOMPolicy=continue", "Restart=always"} <= set(said)
    assert "LoadCredentialEncrypted=analytics-key:/etc/credstore.encrypted/analytics-key" in said
    assert said.index("PrivateUsers=no") > said.index("PrivateUsers=yes")


def test_what_sets_the_roles_leaves_the_servers_memory_alone(rendered: Render, view: Shipped) -> None:
    text = rendered("postgresql", view("lab", "core")).files[f"/etc/systemd/system/{postgresql.ROLES_UNIT}"]
    said = units.lines(text)
    assert said.index("RemoveIPC=no") > said.index("RemoveIPC=yes")


def test_a_changed_password_restarts_no_server(view: Shipped) -> None:
    watches = {unit.name: unit.watches for unit in postgresql.component(view("lab", "core")).units}
    assert postgresql.ROLES not in watches[postgresql.UNIT]
    assert watches[postgresql.ROLES_UNIT] == (postgresql.ROLES,)


def test_debians_own_cluster_is_never_started(view: Shipped) -> None:
    masked = postgresql.component(view("lab", "core")).masked
    assert set(masked) == {"postgresql.service", "postgresql@15-main.service"}


def test_retention_is_the_stacks(rendered: Render, view: Shipped) -> None:
    core = view("lab", "core")
    days = core.stack.retention.analytics_days
    assert f"interval '{days} days'" in rendered("postgresql", core).files[postgresql.UPKEEP_SCRIPT]
