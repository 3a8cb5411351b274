"""What another value of a secret restarts: the units that use it, by the catalogue's real values."""

from pathlib import Path

import msgspec
import pytest

from himari.apply.values import server_of, vault_names
from himari.catalog.host import secrets, users_of
from himari.stack.load import load_stack
from himari.stack.model import Alerts
from himari.stack.paths import StateDir
from himari.vault.authority import Authority
from himari.vault.secrets import Secrets
from tests.unit.apply.restarts import changed, digests

LAB = load_stack("lab")
HOOK = msgspec.structs.replace(load_stack("vps-brain"), alerts=Alerts(webhook="secret"))


@pytest.mark.parametrize("name", secrets(LAB))
def test_another_value_restarts_exactly_the_units_that_use_it(tmp_path: Path, name: str) -> None:
    state = StateDir(tmp_path)
    before = digests(LAB, state)
    if server := server_of(name):
        Authority.open(state).forget(server)
    else:
        Secrets.open(state).put(name, "c3" * 32)
    assert changed(before, digests(LAB, state)) == set(users_of(LAB, name))


@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("redis-pusher", {"edge: redis-server.service", "edge: himari-collector.service"}),
        ("redis-reader", {"edge: redis-server.service", "brain: himari-consumer.service"}),
        ("features-reader", {"core: redis-server@features.service"}),
        ("features-key", {"core: redis-server@features.service"}),
        ("exchange-key", {"exchange: himari-exchange.service"}),
    ],
)
def test_who_uses_a_secret_is_known(name: str, units: set[str]) -> None:
    assert set(users_of(LAB, name)) == units


def test_the_webhook_restarts_who_calls_it(tmp_path: Path) -> None:
    state = StateDir(tmp_path)
    assert "webhook" in vault_names(HOOK)
    Secrets.open(state).put("webhook", "https://example.org/1")
    before = digests(HOOK, state)
    Secrets.open(state).put("webhook", "https://example.org/2")
    assert changed(before, digests(HOOK, state)) == {"brain: himari-deadman.service"}
