"""What a certificate that is renewed restarts, and in which order, by the catalogue's real values."""

import datetime
from pathlib import Path

import msgspec
import pytest

from himari.apply.agent.wire import Service, State
from himari.apply.desired import desired
from himari.apply.difference import Comparison
from himari.apply.run import HostPlan, Plans, waves
from himari.apply.values import Values
from himari.catalog.component import View
from himari.catalog.days import days
from himari.ssh.connection import Reach
from himari.stack.load import load_stack
from himari.stack.model import Host, Provider, Role, Stack
from himari.stack.paths import StateDir
from himari.vault.authority import Authority
from tests.unit.apply.restarts import changed, digests, locks
from tests.unit.catalog.conftest import met

LAB = load_stack("lab")


def test_a_certificate_that_ends_soon_is_renewed_and_restarts_its_server_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = StateDir(tmp_path)
    names = ("core", "10.77.0.3", "10.200.7.5", "127.0.0.1", "localhost")
    year_ago = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=365)
    Authority.open(state).issue("features", names, now=year_ago + datetime.timedelta(days=31))
    before = digests(LAB, state)
    assert digests(LAB, state) == before
    # Two days later is the same as a renewal that is due two days earlier.
    monkeypatch.setattr("himari.vault.authority._RENEW_BEFORE", datetime.timedelta(days=32))
    assert changed(before, digests(LAB, state)) == {"core: redis-server@features.service"}


def test_a_renewed_authority_restarts_only_who_reads_its_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = StateDir(tmp_path)
    before = digests(LAB, state)
    monkeypatch.setattr("himari.vault.authority._CA_RENEW_BEFORE", datetime.timedelta(days=3651))
    monkeypatch.setattr("himari.vault.authority._CA_LIFE", datetime.timedelta(days=3700))
    readers = {
        "edge: himari-collector.service",
        "core: prometheus-redis-exporter.service",
        "core: himari-kafka.service",  # its keystore holds the authority's certificate, by which it knows its callers
    }
    assert changed(before, digests(LAB, state)) == readers


def two_stores(roles: tuple[Role, ...]) -> Stack:
    """The lab with a second host of `roles`."""
    other = Host(provider=Provider.LAB, roles=roles, cpus=2, memory_mb=2048, disk_gb=20)
    return msgspec.structs.replace(LAB, hosts={**LAB.hosts, "core2": other})


def plans(stack: Stack, state: StateDir, *, active: bool) -> Plans:
    """What each host lacks when none of its units runs what it shall."""
    values = Values.open(stack, met(stack), state)
    return Plans(stack, tuple(plan(stack, name, values, active=active) for name in stack.hosts))


def plan(stack: Stack, name: str, values: Values, *, active: bool) -> HostPlan:
    known = met(stack)
    wanted = desired(View(stack=stack, host_name=name, known=known), days(), values)
    held = {unit: Service(True, active, False, "another") for unit in wanted.whole.query().units}
    state = State("12.11", "cp311", "b", False, "", {}, {}, {}, {}, [], [], held)
    comparison = Comparison(wanted.whole, state, locks(wanted.whole), "ssh-ed25519 AAAA")
    lacks = {day: comparison.difference(part) for day, part in wanted.days.items()}
    return HostPlan(name, Reach(name, known[name], Path("/dev/null")), state, wanted, comparison, lacks)


@pytest.mark.parametrize(
    ("roles", "active", "turns"),
    [
        ((Role.FEATURES,), True, [["core"], ["core2"]]),
        ((Role.FEATURES,), False, [["core", "core2"]]),
    ],
    ids=["running", "first deploy"],
)
def test_hosts_that_share_a_role_restart_one_after_the_other(
    tmp_path: Path, roles: tuple[Role, ...], active: bool, turns: list[list[str]]
) -> None:
    made = plans(two_stores(roles), StateDir(tmp_path), active=active)
    groups = [[each.host_name for each in wave] for wave in waves(made, "day06_stores")]
    assert [[name for name in group if name.startswith("core")] for group in groups] == turns


def test_hosts_of_different_roles_restart_at_the_same_time(tmp_path: Path) -> None:
    made = plans(LAB, StateDir(tmp_path), active=True)
    assert [len(wave) for wave in waves(made, "day03_network")] == [len(LAB.hosts)]
