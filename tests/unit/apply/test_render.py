from pathlib import Path

import pytest

from himari.apply.render import render
from himari.apply.values import Values
from himari.catalog.component import Component, File, PublicFile, SecretHash, View
from himari.catalog.days import days
from himari.stack.errors import DeployError
from himari.stack.known import KnownHost
from himari.stack.load import load_stack
from himari.stack.paths import StateDir

STACK = load_stack("lab-edge")
KNOWN = {"exchange": KnownHost(address="10.200.0.10")}
VIEW = View(stack=STACK, host_name="edge", known=KNOWN)


@pytest.fixture
def values(tmp_path: Path) -> Values:
    return Values.open(STACK, KNOWN, StateDir(tmp_path / "state"))


def content(template: str, values: Values, folder: Path, **given: object) -> str:
    path = folder / "demo" / "etc" / "demo.conf.j2"
    path.parent.mkdir(parents=True)
    path.write_text(template)
    component = Component(name="demo", files=(File(path="/etc/demo.conf", values=given),))
    return render(component, VIEW, values, folder)[0].content.decode()


def test_a_template_sees_its_values_the_stack_and_the_host(values: Values, tmp_path: Path) -> None:
    template = "{{ port }} {{ stack.name }} {{ host_name }} {{ host.cpus }} <&>\n"
    assert content(template, values, tmp_path, port=6379) == "6379 lab-edge edge 2 <&>\n"


def test_a_name_without_a_value_is_an_error_that_names_the_template(values: Values, tmp_path: Path) -> None:
    with pytest.raises(DeployError, match="'port' is undefined") as error:
        content("{{ port }}", values, tmp_path)
    assert error.value.where == "edge: templates/demo/etc/demo.conf.j2"


def test_markers_become_a_hash_and_a_certificate_at_any_depth(values: Values, tmp_path: Path) -> None:
    given = {"users": [{"hash": SecretHash("redis-pusher")}], "ca": PublicFile("ca.pem")}
    text = content("{{ users[0].hash }} {{ ca }}", values, tmp_path, **given)
    assert text.startswith(values.resolve({"x": SecretHash("redis-pusher")})["x"] + " -----BEGIN CERTIFICATE-----")
    assert values.secret("redis-pusher") not in text


def test_a_servers_key_belongs_to_its_certificate(values: Values) -> None:
    assert values.secret("exchange-key").startswith("-----BEGIN PRIVATE KEY-----")
    issued = values.authority.issue("exchange", ("10.200.0.10", "exchange", "127.0.0.1", "localhost"))
    assert values.secret("exchange-key") == issued.key
    assert values.public_file("exchange.pem") == issued.certificate


def test_rendering_twice_gives_the_same_bytes(values: Values) -> None:
    from himari.apply.desired import desired

    first, second = (desired(VIEW, days(), values).whole for _ in range(2))
    assert [each.digest for each in first.files] == [each.digest for each in second.files]
    assert first == second
