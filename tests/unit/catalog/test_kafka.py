import uuid
from base64 import urlsafe_b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from himari.catalog.broker import users
from himari.catalog.component import Place, View
from himari.catalog.host import secrets
from himari.catalog.kafka import KEYSTORE, cluster_id
from himari.stack.sizes import broker_heap_bytes
from tests.unit.catalog import units

Render = Callable[[str, View], Any]
Shipped = Callable[..., View]
CONFIG, FORMAT = "/etc/himari/kafka/server.properties", "/usr/local/lib/himari/kafka-format"
UNIT = "himari-kafka.service"
FILE = f"/etc/systemd/system/{UNIT}"


def settings(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines() if line and not line.startswith("#"))
    return {key: value for key, _, value in pairs}


def test_users_come_through_the_tunnel_and_admins_over_loopback_by_certificate(rendered: Render, view: Shipped) -> None:
    made = rendered("kafka", view("lab", "core"))
    said = settings(made.files[CONFIG])
    places = dict(one.split("://") for one in said["listeners"].split(","))
    assert places == {
        "CLIENT": "10.77.0.3:9092",
        "LOCAL": "127.0.0.1:9093",
        "ADMIN": "127.0.0.1:9094",
        "CONTROLLER": "127.0.0.1:9095",
    }
    kinds = dict(one.split(":") for one in said["listener.security.protocol.map"].split(","))
    assert kinds == {"CLIENT": "SASL_SSL", "LOCAL": "SASL_SSL", "ADMIN": "SSL", "CONTROLLER": "SSL"}
    assert {said[f"listener.name.{one}.ssl.client.auth"] for one in ("admin", "controller")} == {"required"}
    outside = {one.port for one in made.component.listens_on if one.place is not Place.LOOPBACK}
    assert outside == {9092}


def test_nobody_may_what_nobody_declared(rendered: Render, view: Shipped) -> None:
    said = settings(rendered("kafka", view("lab", "core")).files[CONFIG])
    assert said["auto.create.topics.enable"] == "false"
    assert said["allow.everyone.if.no.acl.found"] == "false"
    assert said["super.users"] == "User:CN=broker;User:CN=operator"
    assert said["authorizer.class.name"].endswith(".StandardAuthorizer")


def test_its_keystore_is_a_key_its_certificate_and_the_authority_and_in_no_file(
    rendered: Render, view: Shipped, tmp_path: Path
) -> None:
    from himari.apply.values import Values
    from himari.stack.paths import StateDir

    core = view("lab", "core")
    made = rendered("kafka", core)
    store = Values.open(core.stack, core.known, StateDir(tmp_path)).secret(KEYSTORE)
    assert serialization.load_pem_private_key(store.encode(), None)
    shown, issuer = x509.load_pem_x509_certificates(store.encode())
    shown.verify_directly_issued_by(issuer)
    names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"127.0.0.1", "localhost", "10.77.0.3"} <= {str(name.value) for name in names}
    assert len(list(shown.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)) == 2
    assert not any("PRIVATE" in text for text in made.files.values())


def test_its_storage_is_named_after_the_stack() -> None:
    assert cluster_id("lab") == cluster_id("lab") != cluster_id("opus")
    assert uuid.UUID(bytes=urlsafe_b64decode(cluster_id("lab") + "=="))


def test_storage_is_formatted_once_and_no_password_is_in_an_argument(rendered: Render, view: Shipped) -> None:
    script = rendered("kafka", view("lab", "core")).files[FORMAT]
    assert 'if [ ! -s "/var/lib/himari-kafka/data/meta.properties" ]' in script
    assert "scram" not in script


def test_its_unit_is_sandboxed_and_a_jvm_alone_may_run_what_it_writes(
    rendered: Render, view: Shipped, tmp_path: Path
) -> None:
    core = view("lab", "core")
    made = rendered("kafka", core)
    (unit,) = made.component.units
    assert units.exposure(tmp_path, UNIT, made.files[FILE]) < unit.exposure_max <= 3
    said = units.lines(made.files[FILE])
    assert not any(line.startswith("MemoryDenyWriteExecute") for line in said)
    assert f"LoadCredentialEncrypted={KEYSTORE}:/etc/credstore.encrypted/{KEYSTORE}" in said
    assert {"KillMode=control-group", "Restart=always", "StartLimitIntervalSec=0", "LimitCORE=0"} <= set(said)
    assert f"-Xmx{broker_heap_bytes(core.host)}" in made.files[FILE]


def test_its_users_passwords_are_among_the_stacks_secrets(view: Shipped) -> None:
    assert {user.secret for user in users()} <= set(secrets(view("lab", "core").stack))
