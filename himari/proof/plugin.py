"""The pytest plugin behind `validation/`: who is checked where, what was seen, and what came of it.

Natively (`HIMARI_STACK=lab-edge pytest validation/day02_redis`) it reads the stack and its state itself; in
`himari validate` the subject is given."""

import os
from collections.abc import Generator, Iterable
from pathlib import Path

import pytest
from testinfra.host import Host  # type: ignore[import-untyped]  # it ships no types

from himari.proof.checks import Case, Observed, statement_of
from himari.proof.derived import CHECKS, items
from himari.proof.probe import Probe
from himari.proof.results import Results
from himari.proof.subject import Subject, read_subject
from himari.stack.errors import HimariError

SUBJECT = pytest.StashKey[Subject]()
OWN = pytest.StashKey[bool]()  # the subject was read here
Reported = Generator[None, pytest.TestReport, pytest.TestReport]
RESULTS = pytest.StashKey[Results]()


def pytest_configure(config: pytest.Config) -> None:
    """Without a subject given, take the one that HIMARI_STACK names."""
    config.stash.setdefault(RESULTS, Results())
    if SUBJECT not in config.stash:
        name = os.environ.get("HIMARI_STACK", "")
        if not name:
            raise pytest.UsageError("HIMARI_STACK names the stack to validate: HIMARI_STACK=lab-edge pytest validation")
        try:
            config.stash[SUBJECT] = read_subject(name)
            config.stash[OWN] = True
        except HimariError as error:
            raise pytest.UsageError(str(error)) from None


def pytest_unconfigure(config: pytest.Config) -> None:
    """A native run ends the ways that it opened; one that was given its subject leaves them to whoever gave it."""
    if config.stash.get(OWN, False):
        config.stash[SUBJECT].visitor.close()


class ComponentModule(pytest.Module):
    """`test_COMPONENT.py`: its own checks, and those that follow from the component's declaration."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        for name, function in CHECKS.items():
            setattr(self.obj, name, function)
        return super().collect()


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module:
    return ComponentModule.from_parent(parent, path=module_path)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A check's hosts are those that have the component after which its file is called."""
    statement = statement_of(metafunc.function)
    if statement is None:
        raise pytest.UsageError(f"{metafunc.definition.nodeid}: a test below validation/ needs @check(id, sentence)")
    component = metafunc.module.__name__.rpartition(".")[2].removeprefix("test_")
    placed = [one for one in metafunc.config.stash[SUBJECT].placements if one.component.name == component]
    cases = [
        Case(host=one.host, phase=one.phase, view=one.view, component=one.component, item=item, name=name)
        for one in placed
        for name, item in items(statement.each, one, metafunc.config.stash[SUBJECT])
    ]
    metafunc.parametrize("case", cases, ids=[f"{one.host}-{one.name}".strip("-") for one in cases], indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A check of a component that no host has is not a check of this stack."""
    absent = [item for item in items if not isinstance(item, pytest.Function) or not _case_of(item)]
    items[:] = [item for item in items if item not in absent]
    config.hook.pytest_deselected(items=absent)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        raise pytest.UsageError(f"{report.nodeid} cannot be collected: {report.longreprtext}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Reported:
    """Note what came of a check; natively, show `not_covered` as skipped and a warning as expected to fail."""
    report = yield
    case = _case_of(item)
    if case is not None:
        item.config.stash[RESULTS].note(item, case, call, report, subject=item.config.stash[SUBJECT])
    return report


def _case_of(item: pytest.Item) -> Case | None:
    callspec = getattr(item, "callspec", None)
    found = callspec.params.get("case") if callspec else None
    return found if isinstance(found, Case) else None


@pytest.fixture(autouse=True)
def case(request: pytest.FixtureRequest) -> Case:
    """The check's host and component."""
    found: Case = request.param
    return found


@pytest.fixture(scope="session")
def subject(pytestconfig: pytest.Config) -> Subject:
    return pytestconfig.stash[SUBJECT]


@pytest.fixture
def probe(case: Case, subject: Subject) -> Probe:
    """What the host said, read once a session; a host that is not reached is one sentence, not a traceback."""
    try:
        return subject.probe(case.host)
    except HimariError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def observed(request: pytest.FixtureRequest) -> Observed:
    """Notes what the check saw."""
    noted = Observed()
    request.node.stash[Results.OBSERVED] = noted
    return noted


@pytest.fixture
def host(case: Case, subject: Subject) -> Host:
    """testinfra's host, for what the probe does not say; each use costs a command."""
    return subject.remote.host(case.host)
