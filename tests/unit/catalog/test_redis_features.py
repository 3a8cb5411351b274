from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography import x509

from himari.catalog.component import View
from himari.stack.sizes import features_bytes
from tests.unit.catalog import units

Render = Callable[[str, View], Any]
Shipped = Callable[..., View]
CONFIG, ACL = "/etc/redis/redis-features.conf", "/etc/redis/redis-features.acl"
CERTIFICATE = "/etc/himari/tls/features.pem"
UNIT = "redis-server@features.service"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/himari.conf"


def test_it_speaks_tls_alone_on_loopback_and_in_the_tunnel(rendered: Render, view: Shipped) -> None:
    said = rendered("redis_features", view("lab", "core")).files[CONFIG].splitlines()
    assert {"port 0", "tls-port 6380", "tls-auth-clients no", "bind 127.0.0.1 -10.77.0.3"} <= set(said)
    assert f"tls-key-file /run/credentials/{UNIT}/features-key" in said


def test_full_means_that_what_expires_first_goes(rendered: Render, view: Shipped) -> None:
    core = view("lab", "core")
    said = rendered("redis_features", core).files[CONFIG].splitlines()
    assert {"maxmemory-policy volatile-ttl", f"maxmemory {features_bytes(core.host)}", "appendonly yes"} <= set(said)


def test_its_certificate_names_every_way_to_it(rendered: Render, view: Shipped) -> None:
    text = rendered("redis_features", view("lab", "core")).files[CERTIFICATE]
    shown = x509.load_pem_x509_certificate(text.encode())
    names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(name.value) for name in names} == {"core", "10.77.0.3", "10.200.7.5", "127.0.0.1", "localhost"}


def test_each_user_has_its_own_password_and_least_rights(rendered: Render, view: Shipped) -> None:
    lines = rendered("redis_features", view("lab", "core")).files[ACL].splitlines()
    users = {line.split()[1]: line.split() for line in lines}
    assert users["default"][2] == "off"
    hashes = {name: [word for word in words if word.startswith("#")] for name, words in users.items()}
    assert [len(one) for one in hashes.values()] == [0, 1, 1, 1, 1]
    assert len({one[0] for one in hashes.values() if one}) == 4
    assert all("-@all" in words for words in users.values())
    assert not {"+set", "+expire", "+zadd"} & set(users["reader"])
    assert not {"+get", "+zrange"} & set(users["writer"])


def test_debians_unit_stays_sandboxed_with_our_drop_in(rendered: Render, view: Shipped, tmp_path: Path) -> None:
    made = rendered("redis_features", view("lab", "core"))
    (unit,) = made.component.units
    (tmp_path / f"{UNIT}.d").mkdir()
    (tmp_path / f"{UNIT}.d" / "himari.conf").write_text(made.files[DROP_IN])
    debians = Path("/lib/systemd/system/redis-server@.service").read_text()
    assert units.exposure(tmp_path, UNIT, debians) < unit.exposure_max <= 3
    said = units.lines(made.files[DROP_IN])
    assert "LoadCredentialEncrypted=features-key:/etc/credstore.encrypted/features-key" in said
    assert {"Restart=always", "StartLimitIntervalSec=0", "RestartSec=5"} <= set(said)
