"""The graph, as its own users meet it with a real client, and as those who are not its users do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import neo4j
import pytest
from neo4j.exceptions import AuthError, ConstraintError, Neo4jError, ServiceUnavailable

from himari.catalog.graph_model import EVENTS, entities, node, relations, rules
from himari.catalog.neo4j import ADMIN, FIRST, LISTENER, READER, SERVICES, UNIT, WRITER, Login
from himari.catalog.ports import NEO4J
from himari.catalog.queries import names, query
from himari.proof import readings
from himari.proof.certificates import served
from himari.proof.checks import Case, Observed, check, found
from himari.proof.probe import Probe
from himari.proof.subject import Subject
from himari.stack.network import LOOPBACK
from himari.stack.sizes import MIB, graph_sizes

SECONDS = 10.0
RENEWED_BEFORE_DAYS = 14
PROBE = "_probe"  # of no event; nothing is made with it
JVM = "CALL dbms.queryJmx('java.lang:type=Runtime') YIELD attributes RETURN attributes.InputArguments.value AS given"
DECLARED = {
    "server.bolt.tls_level": "REQUIRED",
    "server.http.enabled": "false",
    "dbms.security.auth_enabled": "true",
    "db.tx_log.preallocate": "false",
    "dbms.usage_report.enabled": "false",
}


@contextmanager
def client(subject: Subject, host: str, auth: tuple[str, str] | None, *, tls: bool = True) -> Iterator[neo4j.Driver]:
    """The service, as somebody who trusts the stack's CA meets it; without `tls` in plain text."""
    door = subject.visitor.door(host, LOOPBACK, NEO4J)
    trusted = {"trusted_certificates": neo4j.TrustCustomCAs(str(subject.visitor.ca_file))} if tls else {}
    with neo4j.GraphDatabase.driver(
        f"bolt://{door.address}:{door.port}",
        auth=auth,
        encrypted=tls,
        connection_timeout=SECONDS,
        connection_acquisition_timeout=SECONDS,
        max_transaction_retry_time=0,
        notifications_min_severity="OFF",
        telemetry_disabled=True,
        **trusted,
    ) as met:
        yield met


@contextmanager
def as_user(subject: Subject, host: str, login: Login) -> Iterator[neo4j.Driver]:
    with client(subject, host, (login.name, subject.visitor.password(login.secret))) as met:
        yield met


def asked(met: neo4j.Driver, statement: str, database: str = "neo4j") -> list[dict[str, Any]]:
    answer = met.execute_query(statement, database_=database, routing_=neo4j.RoutingControl.READ)
    return [record.data() for record in answer.records]


def refusal(met: neo4j.Driver) -> str:
    """What it says instead of telling something; empty when it tells."""
    try:
        asked(met, "MATCH (n) RETURN count(n) AS nodes")
    except Neo4jError as error:
        return str(error.code)
    except ServiceUnavailable as error:
        return f"closed: {error}"
    return ""


@check("graph.answers", "Neo4j 5.26 Community answers over TLS", replaces="part VI: Neo4j; part X: Neo4j test")
def test_answers(case: Case, observed: Observed, subject: Subject) -> None:
    with as_user(subject, case.host, ADMIN) as admin:
        (shown,) = asked(admin, "CALL dbms.components() YIELD name, versions, edition RETURN versions, edition LIMIT 1")
    observed(f"{shown['versions'][0]} {shown['edition']}")
    assert shown["versions"][0].startswith("5.26.")
    assert shown["edition"] == "community"


@check("graph.certificate", "it shows a certificate of the stack's CA, for its address, that is renewed in time")
def test_certificate(case: Case, observed: Observed, subject: Subject) -> None:
    door = subject.visitor.door(case.host, LOOPBACK, NEO4J)
    shown = observed(served(door.address, door.port, subject.visitor.ca_file))
    assert shown.days_left > RENEWED_BEFORE_DAYS, f"`himari up {subject.stack.name}` renews it"


@check("graph.tls-only", "without TLS nobody is answered", replaces="part IX: TLS between hosts")
def test_tls_only(case: Case, observed: Observed, subject: Subject) -> None:
    with client(subject, case.host, (READER.name, subject.visitor.password(READER.secret)), tls=False) as plain:
        said = observed(refusal(plain))
    assert said.startswith("closed"), said or "it was answered"


@check("graph.anonymous", "nobody is answered without a login, or with a wrong password")
def test_anonymous(case: Case, observed: Observed, subject: Subject) -> None:
    with client(subject, case.host, None) as nobody, client(subject, case.host, (READER.name, PROBE)) as stranger:
        said = observed([refusal(nobody), refusal(stranger)])
    assert all("Security.Unauthorized" in one for one in said), said


@check("graph.default-password", "neither the password that Neo4j ships with nor the one of the first start opens it")
def test_default_password(case: Case, observed: Observed, subject: Subject) -> None:
    first = subject.visitor.password(FIRST.secret)
    for password in ("neo4j", first):
        with client(subject, case.host, (ADMIN.name, password)) as met, pytest.raises(AuthError) as refused:
            met.verify_connectivity()
    observed(str(refused.value.code))


@check("graph.users", "its users are the declared ones, and each comes in with its own password")
def test_users(case: Case, observed: Observed, subject: Subject) -> None:
    with as_user(subject, case.host, ADMIN) as admin:
        held = observed({row["user"] for row in asked(admin, "SHOW USERS YIELD user", "system")})
    assert held == {ADMIN.name, *(login.name for login in SERVICES)}
    for login in SERVICES:
        with as_user(subject, case.host, login) as met:
            assert refusal(met) == "", login.name


@check(
    "graph.rules",
    "what must be unique is, and what is asked for by time is indexed",
    replaces="part VI: constraints and indexes",
)
def test_rules(case: Case, observed: Observed, subject: Subject) -> None:
    with as_user(subject, case.host, READER) as reader:
        unique = asked(reader, "SHOW CONSTRAINTS YIELD type, labelsOrTypes, properties")
        indexes = asked(reader, "SHOW INDEXES YIELD type, state, labelsOrTypes, properties WHERE type = 'RANGE'")
    held = {(True, *_on(row)) for row in unique if row["type"].endswith("UNIQUENESS")}
    held |= {(False, *_on(row)) for row in indexes if row["state"] == "ONLINE"}
    missing = [rule.name for rule in rules() if (rule.unique, rule.on, rule.key) not in held]
    observed(f"{len(unique)} constraints, {len(indexes)} indexes")
    assert not missing, f"missing: {', '.join(missing)}"


def _on(row: dict[str, Any]) -> tuple[str, str]:
    return row["labelsOrTypes"][0], ",".join(row["properties"])


@check("graph.unique", "an event that comes twice is refused the second time")
def test_unique(case: Case, observed: Observed, subject: Subject) -> None:
    said = {}
    with as_user(subject, case.host, WRITER) as writer:
        for label in EVENTS:
            twice = f"UNWIND [1, 2] AS time CREATE (:{label} {{id: '{PROBE}'}})"
            with pytest.raises(ConstraintError) as refused:
                writer.execute_query(twice)
            said[label] = str(refused.value.code)
    observed(said)


@check(
    "graph.entities",
    "the stack's exchanges, assets and pairs are there, each pair listed by its own exchange",
    replaces="part VI: initial entities; part X: count of exchanges",
)
def test_entities(case: Case, observed: Observed, subject: Subject) -> None:
    wanted = entities(subject.stack)
    with as_user(subject, case.host, READER) as reader:
        held = {
            (label, row["key"])
            for label in wanted
            for row in asked(reader, f"MATCH (it:{label}) RETURN it.{node(label).key} AS key")
        }
        listed = asked(reader, "MATCH (a:Exchange)-[:LISTS]->(b:Pair) RETURN a.name AS a, b.symbol AS b")
    missing = {(label, key) for label, keys in wanted.items() for key in keys} - held
    observed(f"{len(held)} entities, {len(listed)} listings")
    assert not missing, f"missing: {sorted(missing)}"
    assert set(relations(subject.stack)["LISTS"]) <= {(row["a"], row["b"]) for row in listed}


@check("graph.queries", "each named query is one that it can plan", replaces="part VI: causal event queries")
def test_queries(case: Case, observed: Observed, subject: Subject) -> None:
    with as_user(subject, case.host, READER) as reader:
        for name in observed(names("graph")):
            asked(reader, f"EXPLAIN {query('graph', name)}")


@check(
    "graph.settings",
    "heap, page cache, logs of transactions and TLS are as declared",
    replaces="part VI: memory; guide: preallocate, usage report",
)
def test_settings(case: Case, observed: Observed, subject: Subject) -> None:
    sizes = graph_sizes(case.view.host)
    heap, cache = (f"{size / MIB:.2f}MiB" for size in (sizes.heap_bytes, sizes.page_cache_bytes))
    wanted = DECLARED | {
        "server.memory.heap.initial_size": heap,
        "server.memory.heap.max_size": heap,
        "server.memory.pagecache.size": cache,
    }
    with as_user(subject, case.host, ADMIN) as admin:
        shown = {row["name"]: row["value"] for row in asked(admin, "SHOW SETTINGS YIELD name, value")}
    held = observed({name: shown.get(name) for name in wanted})
    assert held == wanted


@check("graph.heap", "its JVM has the heap that its settings name, from the start")
def test_heap(case: Case, observed: Observed, subject: Subject) -> None:
    heap = graph_sizes(case.view.host).heap_bytes // MIB
    with as_user(subject, case.host, ADMIN) as admin:
        (shown,) = asked(admin, JVM)
    said = observed([word for word in shown["given"] if word.startswith("-Xm")])
    assert said == [f"-Xms{heap}m", f"-Xmx{heap}m"]


@check("graph.bind", "it is bound to loopback and the tunnel only, and serves bolt alone")
def test_bind(case: Case, probe: Probe, observed: Observed, subject: Subject) -> None:
    bound = {one.address for one in probe.sockets if one.port == NEO4J and one.protocol == "tcp"}
    assert observed(bound), f"nothing listens as {LISTENER}"
    assert bound <= subject.places(case.host)


@check("graph.memory_max", "systemd stops it before the host runs out of memory")
def test_memory_limit(case: Case, probe: Probe, observed: Observed) -> None:
    limit = observed(probe.unit(UNIT).get("MemoryMax", ""))
    assert limit == str(graph_sizes(case.view.host).memory_max_bytes)


@check("graph.no-core", "no core file holds what it knows")
def test_no_core(probe: Probe, observed: Observed) -> None:
    limits = readings.limits(found(probe.process(UNIT), "it has no process").limits)
    assert observed(limits["Max core file size"]) == 0
