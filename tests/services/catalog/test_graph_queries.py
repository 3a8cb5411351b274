"""The named queries, asked of a real Neo4j that holds a small story of one afternoon."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import neo4j
import pytest
from neo4j.time import Duration

from himari.catalog.neo4j import READER, WRITER
from himari.catalog.queries import names, query
from tests.services.catalog.graph_clients import logged_in, rows
from tests.services.catalog.neo4j_server import Neo4j

pytestmark = [pytest.mark.xdist_group("neo4j"), pytest.mark.timeout(600)]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = Duration(hours=1)


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


STORY = """
MATCH (binance:Exchange {name: 'binance'}), (pair:Pair {symbol: 'BTC/USDT'}), (other:Pair {symbol: 'ETH/USDT'})
CREATE (whale:Wallet {address: 'w1'}),
  (whale)-[:TRANSFERRED]->(:WhaleTransfer {id: 't1', asset: 'BTC', amount: 500.0, timestamp: $noon})-[:TO]->(binance),
  (whale)-[:TRANSFERRED]->(:WhaleTransfer {id: 't2', asset: 'ETH', amount: 900.0, timestamp: $noon})-[:TO]->(binance),
  (whale)-[:TRANSFERRED]->(:WhaleTransfer {id: 't3', asset: 'BTC', amount: 5.0, timestamp: $noon})-[:TO]->(binance),
  (:PriceMovement {id: 'm1', change_percent: -0.03, timestamp: $at10})-[:ON_PAIR]->(pair),
  (:PriceMovement {id: 'm2', change_percent: 0.04, timestamp: $at20})-[:ON_PAIR]->(pair),
  (:PriceMovement {id: 'm3', change_percent: -0.05, timestamp: $at90})-[:ON_PAIR]->(pair),
  (:PriceMovement {id: 'm4', change_percent: -0.05, timestamp: $at10})-[:ON_PAIR]->(other),
  (:CascadeEvent {id: 'c1', severity: 'high', total_liquidation_value: 1e6, timestamp: $at20})-[:ON_PAIR]->(pair),
  (:CascadeEvent {id: 'c2', severity: 'critical', total_liquidation_value: 2e6, timestamp: $at30})-[:ON_PAIR]->(pair),
  (:CascadeEvent {id: 'c3', severity: 'low', total_liquidation_value: 1e3, timestamp: $at30})-[:ON_PAIR]->(other)
"""
FORGET = "MATCH (n:Wallet|WhaleTransfer|PriceMovement|CascadeEvent) DETACH DELETE n"
ASKED: dict[str, dict[str, Any]] = {
    "whale-transfers-before-drops": {
        "pair": "BTC/USDT",
        "since": at(-60),
        "amount": 100,
        "within": HOUR,
        "drop": 0.02,
        "limit": 20,
    },
    "cascades-with-predecessors": {
        "since": at(-60),
        "severities": ["high", "critical"],
        "within": HOUR,
        "limit": 100,
    },
    "causal-chain": {"event_id": "c2", "limit": 50},
    "link-triggered": {"cause_id": "t1", "effect_id": "m1"},
    "link-preceded": {"event_id": "c2", "within": HOUR},
}


@pytest.fixture
def story(server: Neo4j) -> Iterator[Neo4j]:
    moments = {"noon": NOON} | {f"at{minutes}": at(minutes) for minutes in (10, 20, 30, 90)}
    rows(server, STORY, WRITER, **moments)
    yield server
    rows(server, FORGET, WRITER)


def asked(server: Neo4j, name: str, **other: Any) -> list[Any]:
    writes = name.startswith("link-")
    with logged_in(server, WRITER if writes else READER) as opened:
        routing = neo4j.RoutingControl.WRITE if writes else neo4j.RoutingControl.READ
        answer = opened.execute_query(query("graph", name), parameters_=ASKED[name] | other, routing_=routing)
    return [record.data() for record in answer.records]


def linked(server: Neo4j) -> None:
    for cause, effect in (("t1", "m1"), ("m1", "c1")):
        asked(server, "link-triggered", cause_id=cause, effect_id=effect)
    asked(server, "link-preceded")


def test_each_query_is_asked_here() -> None:
    assert set(names("graph")) == set(ASKED)


def test_a_transfer_is_told_with_the_drops_of_its_own_asset_within_the_hour(story: Neo4j) -> None:
    (row,) = asked(story, "whale-transfers-before-drops")
    assert (row["whale"], row["exchange"], row["transfer"], row["price_change"]) == ("w1", "binance", "t1", -0.03)
    assert row["moved_at"].to_native() == at(10)
    assert [one["price_change"] for one in asked(story, "whale-transfers-before-drops", within=Duration(hours=2))] == [
        -0.03,
        -0.05,
    ]


def test_a_cascade_without_a_predecessor_is_told_too(story: Neo4j) -> None:
    found = asked(story, "cascades-with-predecessors")
    assert [(row["cascade"], row["preceding_cascades"]) for row in found] == [("c2", 1), ("c1", 0)]


def test_a_chain_goes_back_to_the_transfer_that_began_it(story: Neo4j) -> None:
    linked(story)
    chains = asked(story, "causal-chain")
    assert [event["id"] for event in chains[0]["events"]] == ["t1", "m1", "c1", "c2"]
    assert chains[0]["links"] == ["TRIGGERED", "TRIGGERED", "PRECEDED"]
    assert [len(chain["links"]) for chain in chains] == [3, 2, 1]


def test_a_link_is_made_once(story: Neo4j) -> None:
    linked(story)
    linked(story)
    made = rows(story, "MATCH ()-[link:TRIGGERED|PRECEDED]->() RETURN link.id AS id")
    assert sorted(row["id"] for row in made) == ["c1>c2", "m1>c1", "t1>m1"]


def test_no_effect_comes_before_its_cause(story: Neo4j) -> None:
    assert asked(story, "link-triggered", cause_id="c1", effect_id="m1") == []
    assert asked(story, "link-preceded", event_id="c1") == []
