"""Neo4j as its clients meet it: by name and password, over TLS that is checked."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from himari.ssh.forward import Door
from himari.stack.errors import DeployError, HostError

if TYPE_CHECKING:
    import neo4j

GRAPH, SYSTEM = "neo4j", "system"  # Community has these two databases and makes no others
SECONDS = 10.0


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A statement that makes the server what it shall be, and what it does in words; its parameters show nowhere."""

    says: str
    statement: str
    parameters: Mapping[str, Any] = {}
    database: str = GRAPH

    def __repr__(self) -> str:
        return f"Change({self.says!r})"


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """The server of one host, and the way to it."""

    host: str
    door: Door
    ca_file: Path


class Graph:
    """One login to a server."""

    def __init__(self, server: Server, driver: "neo4j.Driver") -> None:
        self._server = server
        self._driver = driver

    def ask(self, statement: str, database: str = GRAPH, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of the answer. Raises DeployError with what the server said, HostError when it says nothing."""
        with _told(self._server, statement.partition(" YIELD")[0]):
            answer = self._driver.execute_query(statement, parameters_=parameters, database_=database)
        return [record.data() for record in answer.records]

    def do(self, change: Change) -> None:
        """Raises as `ask` does."""
        with _told(self._server, change.says):
            given = dict(change.parameters)
            self._driver.execute_query(change.statement, parameters_=given, database_=change.database)


@contextmanager
def entered(server: Server, name: str, password: str) -> Iterator[Graph | None]:
    """The server, as user `name`; None when it refuses that name or password.

    Raises HostError when it does not answer, or not as who it should be."""
    import neo4j
    from neo4j.exceptions import AuthError

    driver = neo4j.GraphDatabase.driver(
        f"bolt://{server.door.address}:{server.door.port}",
        auth=(name, password),
        encrypted=True,
        trusted_certificates=neo4j.TrustCustomCAs(str(server.ca_file)),
        connection_timeout=SECONDS,
        connection_acquisition_timeout=SECONDS,
        max_transaction_retry_time=SECONDS,
        notifications_min_severity="OFF",
        telemetry_disabled=True,
    )
    with driver:
        try:
            with _told(server, f"login of {name}"):
                driver.verify_connectivity()
        except AuthError:
            admitted = None
        else:
            admitted = Graph(server, driver)
        yield admitted


@contextmanager
def _told(server: Server, what: str) -> Iterator[None]:
    from neo4j.exceptions import AuthError, DriverError, Neo4jError

    try:
        yield
    except AuthError:
        raise
    except Neo4jError as error:
        raise DeployError(f"{what}: {error.message}", server.host) from None
    except (DriverError, OSError) as error:
        hint = "the unit's journal tells why"
        raise HostError(f"its graph does not answer: {error}", server.host, "bolt over TLS", hint) from None
