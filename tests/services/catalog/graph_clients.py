"""A graph that `himari up` came to for the first time, and its clients; one server for all tests that ask it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import neo4j
from neo4j.exceptions import AuthError

from himari.apply.declared.neo4j import apply, differences
from himari.catalog.neo4j import ADMIN, FIRST, Login
from tests.services.catalog.neo4j_server import HOST, Neo4j


class Claimed:
    """A server that `himari up` came to for the first time, and what was seen then."""

    def __init__(self, server: Neo4j) -> None:
        self.server = server
        self.default_refused = not admits(server, "neo4j", "neo4j")
        self.first_may = first_may(server)
        self.lacked = differences(server.means, HOST)
        self.said: list[str] = []
        self.done = apply(server.means, HOST, lambda host, says: self.said.append(says))


@contextmanager
def driver(server: Neo4j, auth: Any, **options: Any) -> Iterator[neo4j.Driver]:
    if options.setdefault("encrypted", True):
        options.setdefault("trusted_certificates", neo4j.TrustCustomCAs(str(server.visitor.ca_file)))
    options["notifications_min_severity"] = "OFF"
    with neo4j.GraphDatabase.driver(f"bolt://127.0.0.1:{server.port}", auth=auth, **options) as opened:
        yield opened


@contextmanager
def logged_in(server: Neo4j, login: Login) -> Iterator[neo4j.Driver]:
    with driver(server, (login.name, server.values.secret(login.secret))) as opened:
        yield opened


def rows(server: Neo4j, statement: Any, login: Login = ADMIN, database: str = "neo4j", **given: Any) -> list[Any]:
    with logged_in(server, login) as opened:
        answer = opened.execute_query(statement, parameters_=given, database_=database)
    return [record.data() for record in answer.records]


def admits(server: Neo4j, name: str, password: str) -> bool:
    try:
        with driver(server, (name, password)) as opened:
            opened.verify_connectivity()
    except AuthError:
        return False
    return True


def first_may(server: Neo4j) -> str:
    """What the first password is told that would see the graph."""
    try:
        rows(server, "MATCH (n) RETURN n", FIRST)
    except neo4j.exceptions.Neo4jError as error:
        return str(error.code)
    return "everything"
