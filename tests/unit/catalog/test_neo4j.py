from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography import x509

from himari.catalog.component import View
from himari.catalog.host import secrets
from himari.catalog.neo4j import FIRST_USER, SETTINGS, UNIT
from himari.stack.load import load_stack
from himari.stack.sizes import MIB, graph_sizes
from tests.unit.catalog import units

Render = Callable[[str, View], Any]
Shipped = Callable[..., View]
CERTIFICATE = "/etc/himari/tls/graph.pem"
SERVICE = f"/etc/systemd/system/{UNIT}"


def settings(rendered: Render, view: Shipped) -> dict[str, str]:
    lines = units.lines(rendered("neo4j", view("lab", "core")).files[SETTINGS])
    return dict(line.split("=", 1) for line in lines)


def test_it_speaks_bolt_over_tls_alone_on_loopback_and_in_the_tunnel(rendered: Render, view: Shipped) -> None:
    said = settings(rendered, view)
    assert said["server.bolt.tls_level"] == "REQUIRED"
    assert said["server.bolt.listen_address"] == "127.0.0.1:7687"
    assert said["server.bolt.additional_listen_addresses"] == "10.77.0.3:7687"
    assert said["server.http.enabled"] == said["server.https.enabled"] == "false"
    assert said["dbms.ssl.policy.bolt.private_key"] == f"/run/credentials/{UNIT}/graph-key"
    assert said["dbms.ssl.policy.bolt.public_certificate"] == CERTIFICATE


def test_it_calls_nobody_and_takes_only_the_disk_that_it_writes(rendered: Render, view: Shipped) -> None:
    said = settings(rendered, view)
    assert said["dbms.usage_report.enabled"] == said["db.tx_log.preallocate"] == "false"


def test_heap_and_page_cache_follow_from_the_hosts_memory(rendered: Render, view: Shipped) -> None:
    said, core = settings(rendered, view), view("lab", "core")
    sizes = graph_sizes(core.host)
    heap = f"{sizes.heap_bytes // MIB}m"
    assert said["server.memory.heap.initial_size"] == said["server.memory.heap.max_size"] == heap
    assert said["server.memory.pagecache.size"] == f"{sizes.page_cache_bytes // MIB}m"
    unit = rendered("neo4j", core).files[SERVICE]
    assert f"-Xms{heap} -Xmx{heap} " in unit
    assert f"MemoryMax={sizes.memory_max_bytes}" in unit.splitlines()


def test_its_certificate_names_every_way_to_it(rendered: Render, view: Shipped) -> None:
    text = rendered("neo4j", view("lab", "core")).files[CERTIFICATE]
    shown = x509.load_pem_x509_certificate(text.encode())
    names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(name.value) for name in names} == {"core", "10.77.0.3", "10.200.7.5", "127.0.0.1", "localhost"}


def test_a_server_without_users_knows_one_password_by_its_hash_and_wants_another_at_once(
    rendered: Render, view: Shipped
) -> None:
    made = rendered("neo4j", view("lab", "core"))
    name, credential, flags = made.files[FIRST_USER].strip().split(":")
    assert (name, flags) == ("neo4j", "password_change_required")
    assert len(credential.split(",")[1]) == 64
    (file,) = (file for file in made.component.files if file.path == FIRST_USER)
    assert (file.mode, file.owner) == (0o600, "himari-neo4j")


def test_only_what_a_jvm_needs_is_beyond_the_sandbox(rendered: Render, view: Shipped, tmp_path: Path) -> None:
    made = rendered("neo4j", view("lab", "core"))
    (unit,) = made.component.units
    assert units.exposure(tmp_path, UNIT, made.files[SERVICE]) < unit.exposure_max <= 3
    said = units.lines(made.files[SERVICE])
    assert "MemoryDenyWriteExecute=yes" not in said
    assert "LoadCredentialEncrypted=graph-key:/etc/credstore.encrypted/graph-key" in said
    assert {"User=himari-neo4j", "KillMode=control-group", "Restart=always", "StartLimitIntervalSec=0"} <= set(said)


def test_no_password_is_in_the_unit_or_the_settings(rendered: Render, view: Shipped) -> None:
    made = rendered("neo4j", view("lab", "core"))
    assert "password" not in made.files[SERVICE].lower()
    assert [one.name for one in made.component.credentials] == ["graph-key"]


def test_passwords_that_only_the_running_graph_is_told_are_the_stacks_too() -> None:
    asked = set(secrets(load_stack("lab")))
    assert {"graph-admin", "graph-first", "graph-writer", "graph-reader", "graph-key"} <= asked
