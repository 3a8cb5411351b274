"""The features' Redis, as its own users meet it with a real client, and as those who are not its users do."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from himari.catalog.ports import REDIS_FEATURES
from himari.catalog.redis_features import LISTENER, OPERATOR, PREFIX, READER, UNIT, WRITER
from himari.proof import readings
from himari.proof.certificates import served
from himari.proof.checks import Case, Observed, check, found
from himari.proof.probe import Probe
from himari.proof.subject import Subject
from himari.stack.network import LOOPBACK
from himari.stack.sizes import features_bytes

SECONDS = 5.0
PROBE = f"{PREFIX}_:_:probe"  # of no venue; it goes by itself
EXPIRES_S = 60
RENEWED_BEFORE_DAYS = 14
USERS = ("default", "writer", "reader", "operator", "exporter")


@contextmanager
def client(subject: Subject, host: str, user: str | None, password: str | None) -> "Iterator[redis.Redis[str]]":
    """The service, as somebody who trusts the stack's CA meets it."""
    door = subject.visitor.door(host, LOOPBACK, REDIS_FEATURES)
    met = redis.Redis(
        host=door.address,
        port=door.port,
        username=user,
        password=password,
        ssl=True,
        ssl_ca_certs=str(subject.visitor.ca_file),
        ssl_check_hostname=True,
        socket_timeout=SECONDS,
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        yield met
    finally:
        met.close()


@contextmanager
def as_user(subject: Subject, host: str, name: str, secret: str) -> "Iterator[redis.Redis[str]]":
    with client(subject, host, name, subject.visitor.password(secret)) as met:
        yield met


def config(subject: Subject, host: str, pattern: str) -> dict[str, str]:
    with as_user(subject, host, "operator", OPERATOR) as operator:
        held: dict[str, str] = operator.config_get(pattern)
    return held


def refusal(met: "redis.Redis[str]", *words: str) -> str:
    """What it says instead of doing `words`; empty when it does them."""
    try:
        met.execute_command(*words)
    except redis.RedisError as error:
        return str(error) or type(error).__name__
    return ""


@check(
    "features.answers", "Redis 7 answers its operator over TLS", replaces="part V: features Redis; part X: Redis test"
)
def test_answers(case: Case, observed: Observed, subject: Subject) -> None:
    with as_user(subject, case.host, "operator", OPERATOR) as operator:
        assert observed(str(operator.info("server")["redis_version"])).split(".")[0] >= "7"


@check("features.certificate", "it shows a certificate of the stack's CA, for its address, that is renewed in time")
def test_certificate(case: Case, observed: Observed, subject: Subject) -> None:
    door = subject.visitor.door(case.host, LOOPBACK, REDIS_FEATURES)
    shown = observed(served(door.address, door.port, subject.visitor.ca_file))
    assert shown.days_left > RENEWED_BEFORE_DAYS, f"`himari up {subject.stack.name}` renews it"


@check("features.tls-only", "without TLS nobody is answered", replaces="part IX: TLS between hosts")
def test_tls_only(case: Case, observed: Observed, subject: Subject) -> None:
    door = subject.visitor.door(case.host, LOOPBACK, REDIS_FEATURES)
    with socket.create_connection((door.address, door.port), SECONDS) as plain:
        plain.sendall(b"PING\r\n")
        try:
            said = plain.recv(64)
        except ConnectionResetError:
            said = b""
    observed(said[:20].hex() or "closed")
    assert b"PONG" not in said
    assert not said.startswith((b"-NOAUTH", b"+")), "it speaks plain text"


@check("features.anonymous", "nobody is answered without a login, or with a wrong password")
def test_anonymous(case: Case, observed: Observed, subject: Subject) -> None:
    with client(subject, case.host, None, None) as nobody, client(subject, case.host, "reader", "wrong") as stranger:
        said = observed([refusal(nobody, "GET", PROBE), refusal(stranger, "GET", PROBE)])
    assert "authenticat" in said[0].lower(), said[0]
    assert "invalid username-password" in said[1].lower(), said[1]


@check("features.writes-and-reads", "what the writer sets, the reader gets, and it expires")
def test_writes_and_reads(case: Case, observed: Observed, subject: Subject) -> None:
    with (
        as_user(subject, case.host, "writer", WRITER) as writer,
        as_user(subject, case.host, "reader", READER) as reader,
    ):
        writer.set(PROBE, "1", ex=EXPIRES_S)
        value, left = reader.get(PROBE), reader.ttl(PROBE)
    observed(f"{value}, gone in {left} s")
    assert value == "1"
    assert 0 < left <= EXPIRES_S


@check("features.least", "the writer reads nothing, the reader writes nothing, and neither sees other keys")
def test_least_privilege(case: Case, observed: Observed, subject: Subject) -> None:
    with (
        as_user(subject, case.host, "writer", WRITER) as writer,
        as_user(subject, case.host, "reader", READER) as reader,
    ):
        said = [
            refusal(writer, "GET", PROBE),
            refusal(writer, "SET", "others", "1", "EX", "1"),
            refusal(reader, "SET", PROBE, "1"),
            refusal(reader, "GET", "others"),
            refusal(reader, "CONFIG", "GET", "*"),
        ]
    observed(said)
    assert all("permission" in one.lower() for one in said), said


@check("features.policy", "a full instance drops what would expire first", replaces="part V: volatile-ttl")
def test_policy(case: Case, observed: Observed, subject: Subject) -> None:
    assert observed(config(subject, case.host, "maxmemory-policy"))["maxmemory-policy"] == "volatile-ttl"


@check("features.maxmemory", "it may hold half of its part of the host's memory", replaces="part V: maxmemory 2gb")
def test_maxmemory(case: Case, observed: Observed, subject: Subject) -> None:
    limit = int(config(subject, case.host, "maxmemory")["maxmemory"])
    observed(f"{limit / 2**20:.0f} MiB")
    assert limit == features_bytes(case.view.host)


@check("features.expires", "each key has a time to live", severity="warning")
def test_every_key_expires(case: Case, observed: Observed, subject: Subject) -> None:
    with as_user(subject, case.host, "operator", OPERATOR) as operator:
        keyspace: dict[str, Any] = operator.info("keyspace")
    held = keyspace.get("db0", {"keys": 0, "expires": 0})
    observed(f"{held['keys']} keys, {held['expires']} expire")
    assert held["keys"] == held["expires"], "some key stays for ever"


@check("features.aof", "what was acknowledged is on disk within a second, and the last write succeeded")
def test_aof(case: Case, observed: Observed, subject: Subject) -> None:
    held = config(subject, case.host, "append*")
    with as_user(subject, case.host, "operator", OPERATOR) as operator:
        written = operator.info("persistence")["aof_last_write_status"]
    observed([held["appendonly"], held["appendfsync"], written])
    assert [held["appendonly"], held["appendfsync"], written] == ["yes", "everysec", "ok"]


@check("features.users", "its users are the declared ones, the default one is off, and each has one password")
def test_users(case: Case, observed: Observed, subject: Subject) -> None:
    with as_user(subject, case.host, "operator", OPERATOR) as operator:
        held = {name: operator.acl_getuser(name) for name in USERS}
    flags = {name: said["flags"] if said else ["missing"] for name, said in held.items()}
    observed([f"{name} {', '.join(said)}" for name, said in flags.items()])
    assert "off" in flags["default"]
    assert all("on" in flags[name] and len(held[name]["passwords"]) == 1 for name in USERS[1:])


@check("features.bind", "it is bound to loopback and the tunnel only")
def test_bind(case: Case, probe: Probe, observed: Observed, subject: Subject) -> None:
    bound = {one.address for one in probe.sockets if one.port == REDIS_FEATURES and one.protocol == "tcp"}
    assert observed(bound), f"nothing listens as {LISTENER}"
    assert bound <= subject.places(case.host)


@check("features.memory_max", "systemd stops it before the host runs out of memory")
def test_memory_limit(case: Case, probe: Probe, observed: Observed) -> None:
    limit = observed(probe.unit(UNIT).get("MemoryMax", ""))
    assert limit.isdigit(), "no limit"
    assert int(limit) > features_bytes(case.view.host)


@check("features.no-core", "no core file holds what it knows")
def test_no_core(probe: Probe, observed: Observed) -> None:
    limits = readings.limits(found(probe.process(UNIT), "it has no process").limits)
    assert observed(limits["Max core file size"]) == 0
