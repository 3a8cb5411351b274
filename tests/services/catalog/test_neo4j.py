"""The graph's configuration, as a real Neo4j takes it: over TLS, by user, with what survives a kill."""

import subprocess
from pathlib import Path

import neo4j
import pytest
from neo4j.exceptions import AuthError, ClientError, ConstraintError, ServiceUnavailable

from himari.apply.declared.neo4j import apply, differences
from himari.catalog.graph_model import rules
from himari.catalog.neo4j import ADMIN, FIRST, READER, WRITER, Login
from himari.stack.errors import DeployError
from himari.stack.paths import StateDir
from himari.stack.sizes import MIB, graph_sizes
from himari.vault.authority import Authority
from tests.services.catalog.graph_clients import Claimed, admits, driver, logged_in, rows
from tests.services.catalog.neo4j_server import HOST, TUNNEL, Neo4j
from tests.unit.catalog.conftest import shipped

pytestmark = [pytest.mark.xdist_group("neo4j"), pytest.mark.timeout(600)]


def put_secret(server: Neo4j, name: str, value: str) -> str:
    """Give the stack's secret another value; the one before."""
    path = server.values.secrets.folder / name
    before = path.read_text()
    path.write_text(value)
    return before


def test_from_the_first_start_nobody_comes_in_who_has_not_the_stacks_password(claimed: Claimed) -> None:
    assert claimed.default_refused
    assert claimed.first_may == "Neo.ClientError.Security.CredentialsExpired"
    assert claimed.lacked == ("user neo4j: set its own password",)
    server = claimed.server
    assert not admits(server, FIRST.name, server.values.secret(FIRST.secret))
    assert not admits(server, "neo4j", "neo4j")
    assert all(admits(server, one.name, server.values.secret(one.secret)) for one in (ADMIN, WRITER, READER))


def test_what_the_stack_declares_is_made_once_and_told(claimed: Claimed) -> None:
    assert list(claimed.done) == claimed.said
    assert {"user writer: create", "user reader: create", "Exchange binance: create"} <= set(claimed.done)
    assert {f"{rule.kind} {rule.name}: create" for rule in rules()} <= set(claimed.done)
    assert differences(claimed.server.means, HOST) == ()
    assert apply(claimed.server.means, HOST, lambda host, says: None) == ()


def test_entities_are_those_of_the_stack(server: Neo4j) -> None:
    listed = rows(
        server, "MATCH (e:Exchange)-[:LISTS]->(p:Pair)-[:BASE_ASSET]->(b:Asset) RETURN e.name, p.symbol, b.id"
    )
    pairs = shipped("lab", HOST).stack.venues["binance"].symbols
    assert sorted(row["p.symbol"] for row in listed) == sorted(pairs)
    assert {row["e.name"] for row in listed} == {"binance"}


def test_what_somebody_changed_is_told_and_mended_and_no_data_is_touched(server: Neo4j) -> None:
    rows(server, "DROP CONSTRAINT pair_symbol")
    rows(server, "MATCH (:Exchange)-[edge:LISTS]->(:Pair {symbol: 'BTC/USDT'}) DELETE edge")
    rows(server, "MATCH (e:Exchange) SET e.id = 'mine'")
    rows(server, "CREATE USER mallory SET PASSWORD $p", database="system", p="m" * 40)
    rows(server, "ALTER USER writer SET PASSWORD $p CHANGE NOT REQUIRED", database="system", p="w" * 40)
    expected = (
        "user writer: set its password",
        "user mallory: drop, nobody declared it",
        "constraint pair_symbol: create",
        "edge LISTS binance to BTC/USDT: create",
    )
    assert differences(server.means, HOST) == expected
    assert apply(server.means, HOST, lambda host, says: None) == expected
    assert differences(server.means, HOST) == ()
    assert not admits(server, "mallory", "m" * 40)
    assert not admits(server, "writer", "w" * 40)
    assert rows(server, "MATCH (e:Exchange) RETURN e.id AS id") == [{"id": "mine"}]


@pytest.mark.parametrize("login", [ADMIN, WRITER], ids=["admin", "service"])
def test_a_secret_with_another_value_is_set_and_the_old_one_refused(server: Neo4j, login: Login) -> None:
    old = put_secret(server, login.secret, "0123456789abcdef" * 4)
    assert differences(server.means, HOST) == (f"user {login.name}: set its password",)
    apply(server.means, HOST, lambda host, says: None)
    assert not admits(server, login.name, old.strip())
    assert admits(server, login.name, "0123456789abcdef" * 4)
    assert differences(server.means, HOST) == ()


def test_a_rule_that_the_data_breaks_is_told_in_the_servers_words(server: Neo4j) -> None:
    rows(server, "DROP CONSTRAINT wallet_address")
    rows(server, "CREATE (:Wallet {address: 'twice'}), (:Wallet {address: 'twice'})")
    with pytest.raises(DeployError, match=r"(?s)constraint wallet_address: create: .*twice"):
        apply(server.means, HOST, lambda host, says: None)
    rows(server, "MATCH (w:Wallet {address: 'twice'}) DELETE w")
    assert apply(server.means, HOST, lambda host, says: None) == ("constraint wallet_address: create",)


def test_a_server_that_knows_none_of_our_passwords_is_told(server: Neo4j) -> None:
    before = {one.secret: put_secret(server, one.secret, "f" * 64) for one in (ADMIN, WRITER, READER)}
    try:
        with pytest.raises(DeployError, match="takes none of the stack's passwords"):
            differences(server.means, HOST)
    finally:
        for name, value in before.items():
            put_secret(server, name, value)
    assert differences(server.means, HOST) == ()


@pytest.mark.parametrize("label", ["CascadeEvent", "WhaleTransfer", "PriceMovement"])
def test_an_event_that_comes_twice_is_refused(server: Neo4j, label: str) -> None:
    rows(server, f"CREATE (:{label} {{id: 'same'}})", WRITER)
    with pytest.raises(ConstraintError):
        rows(server, f"CREATE (:{label} {{id: 'same'}})", WRITER)
    assert rows(server, f"MATCH (e:{label} {{id: 'same'}}) DELETE e RETURN count(e) AS held", WRITER) == [{"held": 1}]


def test_nobody_comes_in_without_tls_a_name_or_the_password(server: Neo4j, tmp_path: Path) -> None:
    reader = READER.name, server.values.secret(READER.secret)
    with driver(server, reader, encrypted=False) as plain, pytest.raises(ServiceUnavailable):
        plain.verify_connectivity()
    with driver(server, None) as nobody, pytest.raises(AuthError):
        nobody.execute_query("MATCH (n) RETURN n LIMIT 1")
    with driver(server, (READER.name, "wrong")) as stranger, pytest.raises(AuthError):
        stranger.verify_connectivity()
    other = neo4j.TrustCustomCAs(str(Authority.open(StateDir(tmp_path / "other")).certificate_file))
    with driver(server, reader, trusted_certificates=other) as wary, pytest.raises(ServiceUnavailable):
        wary.verify_connectivity()


def test_community_knows_no_rights_so_who_asks_to_read_is_kept_from_writing_by_asking_so(server: Neo4j) -> None:
    with logged_in(server, READER) as opened:
        with opened.session(default_access_mode=neo4j.READ_ACCESS) as session, pytest.raises(ClientError):
            session.run("CREATE (:Wallet {address: 'read'})").consume()
        opened.execute_query("CREATE (w:Wallet {address: 'written'}) DELETE w")


def test_its_settings_are_those_that_follow_from_the_host(server: Neo4j) -> None:
    sizes = graph_sizes(shipped("lab", HOST).host)
    held = {row["name"]: row["value"] for row in rows(server, "SHOW SETTINGS YIELD name, value")}
    heap = f"{sizes.heap_bytes / MIB:.2f}MiB"
    assert held["server.memory.heap.max_size"] == held["server.memory.heap.initial_size"] == heap
    assert held["server.memory.pagecache.size"] == f"{sizes.page_cache_bytes / MIB:.2f}MiB"
    assert held["db.tx_log.preallocate"] == held["dbms.usage_report.enabled"] == "false"
    assert held["server.bolt.tls_level"] == "REQUIRED"


def test_it_listens_on_bolt_alone_and_takes_little_of_the_disk(server: Neo4j) -> None:
    shown = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    bound = {line.split()[3] for line in shown.splitlines() if f"pid={server.process.pid}," in line}
    assert bound == {f"127.0.0.1:{server.port}", f"{TUNNEL}:{server.port}"}
    taken = sum(path.stat().st_blocks * 512 for path in (server.folder / "state").rglob("*") if path.is_file())
    assert taken < 64 * MIB


def test_what_it_says_goes_to_the_journal_and_to_no_file(server: Neo4j) -> None:
    assert "INFO  Started." in server.log.read_text()
    assert list((server.folder / "state" / "logs").glob("*")) == []


def test_what_was_written_survives_a_kill(server: Neo4j) -> None:
    rows(server, "CREATE (:CascadeEvent {id: 'kept', timestamp: datetime()})", WRITER)
    server.kill()
    server.start()
    assert rows(server, "MATCH (c:CascadeEvent {id: 'kept'}) RETURN c.id AS id", READER) == [{"id": "kept"}]
    assert differences(server.means, HOST) == ()
    rows(server, "MATCH (c:CascadeEvent {id: 'kept'}) DELETE c")
