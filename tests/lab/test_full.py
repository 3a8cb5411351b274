"""The full lab: every role that is built, from nothing to green, met by its services' real clients, and gone.

The tests share one stack and run in the order in which they stand."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from himari.catalog import redis_features
from himari.catalog.days import days
from himari.drills.field import await_
from himari.lab import lab
from himari.proof.evidence import Status, read_evidence
from himari.proof.subject import Subject
from himari.proof.validate import run_checks
from himari.runs.report import UpReport
from himari.ssh.visitor import Visitor
from himari.stack.known import read_known
from himari.stack.model import Role
from himari.stack.paths import VALIDATION
from tests.lab.commands import commands_since
from tests.lab.conftest import OwnLab

STACK = "lab"
KEY = f"{redis_features.PREFIX}binance:BTC/USDT:latest"


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnLab]:
    made = OwnLab(tmp_path_factory.mktemp("full"), STACK)
    yield made
    made.destroy()


@pytest.fixture(scope="module")
def full_up(full: OwnLab) -> UpReport:
    """What the `up` from nothing reported; the hosts run from here on."""
    return full.up()


@pytest.fixture
def visitor(full: OwnLab, full_up: UpReport) -> Iterator[Visitor]:
    """The operator as a client of the services."""
    visiting = Visitor(read_known(full.state.hosts), full.state)
    yield visiting
    visiting.close()


@contextmanager
def features(full: OwnLab, port: int, user: str, secret: str) -> "Iterator[redis.Redis]":
    """The features' Redis behind a port of this machine, as one of its users."""
    vault = Visitor(read_known(full.state.hosts), full.state)
    client = redis.Redis(
        port=port,
        username=user,
        password=vault.password(secret),
        ssl=True,
        ssl_ca_certs=str(vault.ca_file),
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        yield client
    finally:
        client.close()


def test_up_from_nothing_is_green_on_every_day(full: OwnLab, full_up: UpReport) -> None:
    assert full_up.green
    assert full_up.ledger is not None
    assert (full_up.ledger.lost, full_up.ledger.invented, full_up.ledger.gaps) == (0, 0, 0)
    evidence = read_evidence(full.state.evidence)
    assert {phase.name for phase in evidence.phases} == {day.name for day in days()} | {"ledger"}
    assert {check.host for check in evidence.checks} == {*full.stack.hosts, "stack"}
    assert [check.id for check in evidence.checks if check.status is Status.FAILED] == []


def test_a_second_up_changes_nothing_with_two_commands_a_host(full: OwnLab, full_up: UpReport) -> None:
    start = f"{time.time():.6f}"
    assert full.up().changed == ()
    for host in full.stack.hosts:
        assert len(commands_since(lambda script, at=host: full.inside(at, script), start)) == 2


def test_status_tells_of_every_host(full: OwnLab, full_up: UpReport) -> None:
    told = full.himari("status", STACK)
    assert told.returncode == 0, told.stdout
    assert all(host in told.stdout for host in full.stack.hosts)


def test_a_private_port_is_opened_here_until_it_is_closed(full: OwnLab, full_up: UpReport) -> None:
    with full.begin("open", STACK, redis_features.LISTENER) as opening:
        assert opening.stdout is not None
        port = int(opening.stdout.readline().partition("127.0.0.1:")[2].partition(";")[0])
        with features(full, port, "reader", redis_features.READER) as reader:
            assert reader.ping()
        opening.send_signal(2)  # Ctrl-C
        opening.communicate(timeout=20)
        assert opening.returncode == 0
    with features(full, port, "reader", redis_features.READER) as reader, pytest.raises(redis.ConnectionError):
        reader.ping()


def test_features_survive_a_kill(full: OwnLab, visitor: Visitor) -> None:
    (host,) = full.stack.hosts_with(Role.FEATURES)
    door = visitor.door(host, "127.0.0.1", 6380)
    with features(full, door.port, "writer", redis_features.WRITER) as writer:
        writer.set(KEY, "kept", ex=600)
    full.inside(host, f"systemctl kill --signal=KILL {redis_features.UNIT}")

    def kept() -> bool:
        try:
            with features(full, door.port, "reader", redis_features.READER) as reader:
                return bool(reader.get(KEY) == "kept")
        except redis.ConnectionError:
            return False

    assert await_(kept, 30)


def test_an_open_default_user_turns_the_features_red(
    full: OwnLab, visitor: Visitor, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (host,) = full.stack.hosts_with(Role.FEATURES)
    acl = "/etc/redis/redis-features.acl"
    open_ = f"sed -i.whole '/^user default/c user default on nopass allkeys allcommands' {acl}"
    full.inside(host, f"cp -p {acl} {acl}.kept; {open_}; systemctl restart {redis_features.UNIT}")
    try:
        known = read_known(full.state.hosts)
        outside = lab.outside_argv(STACK, (), full.state)
        subject = Subject(full.stack, known, full.remote(), outside=outside, visitor=visitor)
        found = run_checks(subject, tmp_path_factory.mktemp("log") / "checks.log", VALIDATION / "day06_stores")
    finally:
        full.inside(host, f"mv {acl}.kept {acl}; rm -f {acl}.whole; systemctl restart {redis_features.UNIT}")
    red = {check.id for check in found if check.status is Status.FAILED}
    assert red >= {"features.anonymous", "features.users"}
    assert all(one.startswith("features.") for one in red)


def test_destroy_leaves_nothing(full: OwnLab, full_up: UpReport) -> None:
    done = full.himari("destroy", STACK, "--yes")
    assert done.returncode == 0, done.stderr
    assert lab.remains(STACK, full.state) == []
