import tomllib
from collections.abc import Callable
from typing import Any

from himari.catalog.component import Component, View
from himari.catalog.registry import declaration

Render = Callable[[str, View], Any]
Shipped = Callable[..., View]
SETTINGS = "/etc/himari/stores.toml"


def test_the_settings_say_where_each_store_is_and_no_password(rendered: Render, view: Shipped) -> None:
    made = rendered("reader", view("lab", "brain"))
    said = tomllib.loads(made.files[SETTINGS])
    assert said["features"] == {
        "host": "10.77.0.3",
        "port": 6380,
        "user": "reader",
        "credential": "features-reader",
    }
    assert said["broker"] == {
        "host": "10.77.0.3",
        "port": 9092,
        "user": "reader",
        "credential": "broker-reader",
    }
    assert said["analytics"] == {
        "host": "10.77.0.3",
        "port": 5432,
        "user": "reader",
        "credential": "analytics-reader",
        "database": "himari_analytics",
    }
    assert said["ca_file"] == "/etc/himari/tls/ca.pem"
    assert said["graph"] == {"host": "10.77.0.3", "port": 7687, "user": "reader", "credential": "graph-reader"}
    assert [one.name for one in made.component.credentials] == [
        f"{store}-reader" for store in ("features", "analytics", "graph", "broker")
    ]


def test_a_stack_without_stores_has_no_readers(view: Shipped) -> None:
    assert declaration("reader")(view("lab-edge", "brain")) == Component(name="reader")
