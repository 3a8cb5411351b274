"""The proof's own checks of the graph, asked of a real Neo4j: what is well passes, and what is not is told."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from himari.apply.declared.neo4j import apply
from himari.proof.evidence import Check, Status
from himari.proof.remote import Remote
from himari.proof.subject import Subject
from himari.proof.validate import run_checks
from himari.stack.errors import HostError
from himari.stack.paths import VALIDATION
from tests.services.catalog.graph_clients import rows
from tests.services.catalog.neo4j_server import HOST, Neo4j
from tests.unit.catalog.conftest import shipped

pytestmark = [pytest.mark.xdist_group("neo4j"), pytest.mark.timeout(600)]

OF_THE_HOST = {"graph.bind", "graph.memory_max", "graph.no-core"}


class NoHost(Remote):
    """Of the host itself nothing is known here; the service is met as it is."""

    def __call__(self, host: str, argv: Sequence[str]) -> bytes:
        raise HostError("there is no host", host)


def checked(server: Neo4j, folder: Path) -> dict[str, Check]:
    view = shipped("lab", HOST)
    remote = NoHost(view.stack, view.known, folder / "none")
    subject = Subject(view.stack, view.known, remote, outside=("false",), visitor=server.visitor)
    found = run_checks(subject, folder / "log", VALIDATION / "day06_stores" / "test_neo4j.py")
    return {one.id: one for one in found if one.id.startswith("graph.") and one.id not in OF_THE_HOST}


def test_a_graph_as_declared_passes_each_check(server: Neo4j, tmp_path: Path) -> None:
    found = checked(server, tmp_path)
    assert {name: one.observed for name, one in found.items() if one.status is not Status.PASSED} == {}
    assert len(found) >= 12


def test_what_was_changed_is_red_where_it_was_changed(server: Neo4j, tmp_path: Path) -> None:
    rows(server, "DROP CONSTRAINT whale_transfer_id")
    rows(server, "MATCH (:Exchange)-[edge:LISTS]->(:Pair {symbol: 'BTC/USDT'}) DELETE edge")
    rows(server, "CREATE USER mallory SET PASSWORD $p", database="system", p="m" * 40)
    found = checked(server, tmp_path)
    failed = {name for name, one in found.items() if one.status is Status.FAILED}
    rows(server, "MATCH (t:WhaleTransfer) DELETE t")
    apply(server.means, HOST, lambda host, says: None)
    assert failed == {"graph.rules", "graph.unique", "graph.entities", "graph.users"}
