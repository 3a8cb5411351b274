from himari.catalog.graph_model import EDGES, NODES, entities, listings, relations, rules
from himari.stack.load import load_stack

LAB = load_stack("lab")


def test_each_kind_of_node_has_a_key_that_is_unique() -> None:
    unique = {rule.on for rule in rules() if rule.unique and not rule.of_edges}
    assert unique == {node.label for node in NODES}
    assert unique == {
        "Exchange",
        "Asset",
        "Pair",
        "Wallet",
        "WhaleTransfer",
        "PriceMovement",
        "CascadeEvent",
    }


def test_what_happens_is_found_by_time_and_what_is_found_is_found_once() -> None:
    assert {rule.name for rule in rules() if not rule.unique} == {
        "whale_transfer_timestamp",
        "price_movement_timestamp",
        "cascade_event_timestamp",
    }
    assert {rule.name for rule in rules() if rule.of_edges} == {"triggered_id", "preceded_id"}


def test_edges_join_nodes_that_there_are() -> None:
    labels = {node.label for node in NODES}
    assert {label for edge in EDGES for label in (*edge.starts, *edge.ends)} <= labels


def test_each_pair_is_listed_by_its_own_venue_alone_and_has_both_assets() -> None:
    held, edges = entities(LAB), relations(LAB)
    assert set(held["Pair"]) == {one.pair for one in listings(LAB)} == set(LAB.venues["binance"].symbols)
    assert edges["LISTS"] == tuple(("binance", pair) for pair in held["Pair"])
    assert ("BTC/USDT", "BTC") in edges["BASE_ASSET"]
    assert ("BTC/USDT", "USDT") in edges["QUOTE_ASSET"]
    assert {symbol for _, symbol in (*edges["BASE_ASSET"], *edges["QUOTE_ASSET"])} == set(held["Asset"])
    assert held["Asset"]["BTC"] == {"id": "ASSET_BTC", "name": "Bitcoin"}
