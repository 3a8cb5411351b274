"""The broker's checks, against a real one: green where it is as declared, red where it is not."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from himari.apply.declared import kafka as declared
from himari.apply.declared.broker_changes import Changes, Rule
from himari.catalog import broker, kafka
from himari.proof.checks import Case, Observed
from himari.proof.remote import Remote
from himari.proof.subject import Subject
from tests.services.broker import HOST, Broker, running
from tests.services.catalog.test_kafka import client

pytestmark = pytest.mark.xdist_group("kafka")
CHECKS = (
    "test_answers",
    "test_certificate",
    "test_tls_only",
    "test_anonymous",
    "test_declared",
    "test_writes_and_reads",
    "test_least_privilege",
    "test_no_auto_creation",
)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    folder = tmp_path_factory.mktemp("kafka")
    with pytest.MonkeyPatch.context() as patch, running(folder) as started:
        patch.setenv("HIMARI_STATE", str(folder))
        declared.apply(started.means(), HOST, lambda host, says: None)
        yield started


@pytest.fixture
def look(held: Broker) -> Callable[[str], str]:
    """Runs a check; what it observed."""
    stack = held.view.stack
    subject = Subject(stack, {}, Remote(stack, {}, held.state.ssh / "config"), visitor=held.visitor)
    case = Case(host=HOST, phase="day05_broker", view=held.view, component=kafka.component(held.view))

    def now(name: str) -> str:
        observed = Observed()
        getattr(checks(), name)(case=case, observed=observed, subject=subject)
        return observed.text

    return now


def checks() -> ModuleType:
    from importlib.util import module_from_spec, spec_from_file_location

    from himari.stack.paths import VALIDATION

    spec = spec_from_file_location("kafka_checks", Path(VALIDATION) / "day05_broker" / "test_kafka.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", CHECKS)
def test_a_broker_as_declared_passes_each_check(look: Callable[[str], str], name: str) -> None:
    assert look(name)


def test_a_right_too_many_turns_two_checks_red(held: Broker, look: Callable[[str], str]) -> None:
    more = Rule(f"User:{broker.READER}", "write", "topic", broker.DEAD_LETTERS, "literal")
    client(held).make(Changes(granted=(more,)), {})
    for name in ("test_declared", "test_least_privilege"):
        with pytest.raises(AssertionError):
            look(name)
    client(held).make(Changes(withdrawn=(more,)), {})
    assert look("test_declared")
