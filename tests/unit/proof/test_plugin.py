"""The checks run natively under pytest: who is checked, what is green, what is not, and how many commands it costs."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from himari.catalog.containers import NOT_COVERED_IN_CONTAINERS, not_covered
from himari.proof.evidence import Check, Severity, Status
from himari.proof.remote import Remote
from himari.proof.subject import Subject
from himari.proof.validate import run_checks
from himari.stack.errors import HostError, ProofFailed
from himari.stack.known import KnownHost
from himari.stack.load import load_stack
from himari.stack.paths import VALIDATION

pytestmark = pytest.mark.xdist_group("proof-plugin")  # one worker makes what these tests share

HEAD = "from himari.proof.checks import check\nimport pytest\n"


class Unplugged(Remote):
    """Hosts that nobody reaches."""

    def __call__(self, host: str, argv: Sequence[str]) -> bytes:
        self.commands[host] += 1
        raise HostError(f"{host} is not reached: no route", host, "an ssh login")


def subject() -> Subject:
    stack = load_stack("lab")
    known = {name: KnownHost(address=f"10.91.0.{place}") for place, name in enumerate(stack.hosts, 10)}
    remote = Unplugged(stack, known, Path("/nowhere"))
    return Subject(stack, known, remote, outside=("false",))


def checks(tmp_path: Path, body: str, name: str = "test_redis_buffer.py") -> dict[str, Check]:
    folder = tmp_path / "validation"
    folder.mkdir()
    (folder / "conftest.py").write_text((VALIDATION / "conftest.py").read_text())
    (folder / name).write_text(HEAD + body)
    return {found.id: found for found in run_checks(subject(), tmp_path / "log", folder)}


def test_a_check_that_holds_is_green_on_the_hosts_of_its_component(tmp_path: Path) -> None:
    body = """
@check('a.b', 'a holds', replaces='day 2')
def test_a(case, observed):
    assert observed(case.host) == 'edge'
"""
    found = checks(tmp_path, body)["a.b"]
    assert (found.status, found.observed, found.phase, found.replaces) == (
        Status.PASSED,
        "edge",
        "day02_redis",
        "day 2",
    )


def test_a_check_that_does_not_hold_says_why(tmp_path: Path) -> None:
    body = "@check('a.b', 'a', severity='warning')\ndef test_a(observed):\n    assert observed('lru') == 'noeviction'\n"
    found = checks(tmp_path, body)["a.b"]
    assert (found.status, found.severity, found.observed) == (Status.FAILED, Severity.WARNING, "lru")
    assert "'lru' == 'noeviction'" in found.reason


def test_a_check_that_did_not_run_is_not_green(tmp_path: Path) -> None:
    found = checks(tmp_path, "@check('a.b', 'a')\ndef test_a():\n    pytest.skip('not today')\n")["a.b"]
    assert (found.status, found.reason) == (Status.FAILED, "did not run: not today")


def test_a_check_that_breaks_says_that_it_is_the_check(tmp_path: Path) -> None:
    found = checks(tmp_path, "@check('a.b', 'a')\ndef test_a():\n    {}['x']\n")["a.b"]
    assert found.reason == "the check itself broke: KeyError: 'x'"


def test_only_the_reviewed_list_makes_a_check_not_covered(tmp_path: Path) -> None:
    body = """
@check('redis.memory_max', 'a')
def test_a():
    pass

@check('redis.other', 'b')
def test_b():
    assert False
"""
    found = checks(tmp_path, body)
    assert found["redis.memory_max"].status is Status.NOT_COVERED
    assert found["redis.memory_max"].reason == not_covered("redis.memory_max")
    assert found["redis.other"].status is Status.FAILED


def test_a_test_without_a_check_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProofFailed, match="needs @check"):
        checks(tmp_path, "def test_a():\n    pass\n")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProofFailed, match="cannot be collected"):
        checks(tmp_path, "import nowhere_at_all\n")


@pytest.fixture(scope="module")
def unplugged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Subject, list[Check]]:
    """All shipped checks, of hosts that nobody reaches."""
    given = subject()
    return given, run_checks(given, tmp_path_factory.mktemp("log") / "log")


def test_a_host_costs_one_command_however_many_checks_it_has(unplugged: tuple[Subject, list[Check]]) -> None:
    given, found = unplugged
    assert given.remote.commands == dict.fromkeys(given.stack.hosts, 1)
    assert len(found) > 300


def test_no_check_is_green_on_hosts_that_nobody_reaches(unplugged: tuple[Subject, list[Check]]) -> None:
    _, found = unplugged
    assert [check.id for check in found if check.status is Status.PASSED] == []
    assert {check.reason for check in found if check.id == "redis.noeviction"} == {
        "edge: edge is not reached: no route: expected an ssh login"
    }


def test_ids_are_unique_on_a_host(unplugged: tuple[Subject, list[Check]]) -> None:
    _, found = unplugged
    assert len({(check.id, check.host) for check in found}) == len(found)


def test_each_excuse_of_containers_is_for_a_check_that_there_is(unplugged: tuple[Subject, list[Check]]) -> None:
    _, found = unplugged
    excused = {check.id for check in found if check.status is Status.NOT_COVERED}
    stale = [glob for glob in NOT_COVERED_IN_CONTAINERS if not any(fnmatchcase(one, glob) for one in excused)]
    assert stale == []


@pytest.mark.parametrize(
    "step",
    [
        *(f"day 1, step 1.{number}" for number in (1, 2, 3, 4)),
        *(f"day 2, step 2.{number}" for number in (1, 2, 3, 4)),
        *(f"day 3, step 3.{number}" for number in (1, 2, 3)),
        *("day 1 validation: BBR", "4.1: ", "4.2: ", "5.1", "5.2", "5.3"),
        *("AOF", "maxmemory-policy", "LimitNOFILE", "MTU", "AllowedIPs", "wg genkey", "ufw status", "data flow"),
        "CPU 1 isolated",
        "THP",
        "BBR",
        "swap disabled",
        "Redis on CPU 1",
        "Redis responding",
        "WireGuard configured",
        "firewall active",
        "irqbalance disabled",
        "Node exporter running",
        "Redis exporter running",
        *(f"day 4, step 4.{number}" for number in (1, 2)),
        "Redis localhost only",
        "ping",
    ],
)
def test_each_step_of_the_guides_checklists_has_a_check(unplugged: tuple[Subject, list[Check]], step: str) -> None:
    _, found = unplugged
    assert [check.id for check in found if step in check.replaces]


def test_what_must_be_refused_is_tried_from_outside(unplugged: tuple[Subject, list[Check]]) -> None:
    _, found = unplugged
    tried = {(check.id, check.host) for check in found}
    assert {("nftables.outside-to-22", "edge"), ("nftables.outside-to-6379", "edge")} <= tried
    assert {("redis.anonymous-from-brain", "edge"), ("redis.reader-writes-from-brain", "edge")} <= tried
    assert ("nftables.edge-to-22-tunnel", "brain") in tried
