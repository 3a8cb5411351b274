"""Which services are asked what they hold, and when."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from himari.apply.declared import services
from himari.catalog.days import days
from himari.ssh.visitor import Visitor
from himari.stack.load import load_stack
from himari.stack.paths import StateDir
from tests.unit.catalog.conftest import met

STACK = load_stack("lab")
SERVICE = "redis_features"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A service that holds nothing of what it should until it is told."""
    held: list[str] = []
    module = ModuleType(f"himari.apply.declared.{SERVICE}")

    def differences(means: services.Means, host: str) -> tuple[str, ...]:
        return () if host in held else ("key: set",)

    def apply(means: services.Means, host: str, report: services.Report) -> tuple[str, ...]:
        lacking = differences(means, host)
        held.append(host)
        return lacking

    module.__dict__.update(differences=differences, apply=apply)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(services, "SERVICES", (SERVICE,))
    return module


@pytest.fixture
def means(tmp_path: Path) -> Iterator[services.Means]:
    with services.means(STACK, met(STACK), StateDir(tmp_path)) as given:
        assert isinstance(given.visitor, Visitor)
        yield given


@pytest.mark.usefixtures("service")
def test_a_day_brings_its_own_services_to_what_is_declared_once(means: services.Means) -> None:
    assert services.apply_day(means, "day01_host", lambda host, says: None) == ()
    lacking = services.differences(means, unready=())
    assert [(one.host, one.day, one.what) for one in lacking] == [("core", "day06_stores", "key: set")]
    assert services.apply_day(means, "day06_stores", lambda host, says: None) == ("core: day06_stores: key: set",)
    assert services.apply_day(means, "day06_stores", lambda host, says: None) == ()
    assert services.differences(means, unready=()) == ()


@pytest.mark.usefixtures("service")
def test_a_service_whose_day_is_not_done_is_not_asked(means: services.Means) -> None:
    assert services.differences(means, unready={("core", "day06_stores")}) == ()


def test_each_service_is_a_component_with_a_module_of_its_name() -> None:
    planned = {name for day in days() for names in day.roles.values() for name in names}
    assert set(services.SERVICES) <= planned
    for name in services.SERVICES:
        module = services._module(name)
        assert callable(module.differences)
        assert callable(module.apply)
