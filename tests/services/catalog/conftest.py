"""One Neo4j for all tests that ask it: it takes seconds to start and to stop."""

from collections.abc import Iterator

import pytest

from himari.apply.trees import tree_folder
from himari.catalog.neo4j import TREE
from tests.services.catalog.graph_clients import Claimed
from tests.services.catalog.neo4j_server import Neo4j


@pytest.fixture(scope="session")
def claimed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Claimed]:
    server = Neo4j(tmp_path_factory.mktemp("neo4j"), tree_folder(TREE))
    server.start()
    yield Claimed(server)
    assert server.stop() in (0, 143)


@pytest.fixture
def server(claimed: Claimed) -> Neo4j:
    return claimed.server
