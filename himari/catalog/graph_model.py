"""The graph of causes: what its nodes and edges are, what is unique, what is found by time, and what is there from the
first day. `queries/graph` asks it.

Everything that happens has an `id` of its own, so that to store it again changes nothing; and a `timestamp`."""

import re

import msgspec

from himari.stack.model import Stack

# What traders call them; others go by their symbol.
ASSET_NAMES = {"BNB": "BNB", "BTC": "Bitcoin", "ETH": "Ether", "SOL": "Solana", "USDC": "USD Coin", "USDT": "Tether"}


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of node, and the property that tells one of them from all others."""

    label: str
    key: str
    happens: bool = False  # it has a `timestamp`


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of edge, from nodes of `starts` to nodes of `ends`."""

    type: str
    starts: tuple[str, ...]
    ends: tuple[str, ...]
    found: bool = False  # a finding, with an `id` of its own: two who find the same make one edge


EVENTS = ("WhaleTransfer", "PriceMovement", "CascadeEvent")
NODES = (
    Node(label="Exchange", key="name"),
    Node(label="Asset", key="symbol"),
    Node(label="Pair", key="symbol"),
    Node(label="Wallet", key="address"),
    *(Node(label=label, key="id", happens=True) for label in EVENTS),
)
EDGES = (
    Edge(type="LISTS", starts=("Exchange",), ends=("Pair",)),
    Edge(type="BASE_ASSET", starts=("Pair",), ends=("Asset",)),
    Edge(type="QUOTE_ASSET", starts=("Pair",), ends=("Asset",)),
    Edge(type="TRANSFERRED", starts=("Wallet",), ends=("WhaleTransfer",)),
    Edge(type="TO", starts=("WhaleTransfer",), ends=("Exchange",)),
    Edge(type="ON_PAIR", starts=("PriceMovement", "CascadeEvent"), ends=("Pair",)),
    Edge(type="TRIGGERED", starts=EVENTS, ends=("PriceMovement", "CascadeEvent"), found=True),
    Edge(type="PRECEDED", starts=("CascadeEvent",), ends=("CascadeEvent",), found=True),
)


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A property that is unique, or by which nodes are found quickly."""

    unique: bool
    on: str  # a label, or an edge's type
    of_edges: bool
    key: str  # the property

    @property
    def kind(self) -> str:
        return "constraint" if self.unique else "index"

    @property
    def name(self) -> str:
        """As the server shows it: whale_transfer_id."""
        return f"{re.sub('(?<=[a-z])(?=[A-Z])', '_', self.on).lower()}_{self.key}"


def rules() -> tuple[Rule, ...]:
    """All of them; what is unique is also found quickly."""
    nodes = (Rule(unique=True, on=one.label, of_edges=False, key=one.key) for one in NODES)
    edges = (Rule(unique=True, on=one.type, of_edges=True, key="id") for one in EDGES if one.found)
    times = (Rule(unique=False, on=one.label, of_edges=False, key="timestamp") for one in NODES if one.happens)
    return (*nodes, *edges, *times)


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A pair of a venue."""

    exchange: str
    pair: str

    @property
    def base(self) -> str:
        return self.pair.partition("/")[0]

    @property
    def quote(self) -> str:
        return self.pair.partition("/")[2]


def listings(stack: Stack) -> tuple[Listing, ...]:
    """What the stack's venues list, as far as it is collected."""
    return tuple(Listing(exchange=name, pair=pair) for name, venue in stack.venues.items() for pair in venue.symbols)


def entities(stack: Stack) -> dict[str, dict[str, dict[str, str]]]:
    """The nodes that the stack itself names: by label, by key, with what they are given when they are made."""
    held = listings(stack)
    assets = dict.fromkeys(symbol for one in held for symbol in (one.base, one.quote))
    return {
        "Exchange": {one.exchange: {"id": f"EX_{one.exchange.upper()}"} for one in held},
        "Asset": {symbol: {"id": f"ASSET_{symbol}", "name": ASSET_NAMES.get(symbol, symbol)} for symbol in assets},
        "Pair": {one.pair: {"id": f"PAIR_{one.base}{one.quote}"} for one in held},
    }


def relations(stack: Stack) -> dict[str, tuple[tuple[str, str], ...]]:
    """The edges between them: by type, from key to key."""
    held = listings(stack)
    pairs = tuple({one.pair: one for one in held}.values())
    return {
        "LISTS": tuple((one.exchange, one.pair) for one in held),
        "BASE_ASSET": tuple((one.pair, one.base) for one in pairs),
        "QUOTE_ASSET": tuple((one.pair, one.quote) for one in pairs),
    }


def node(label: str) -> Node:
    """The kind of node with that label; KeyError when there is none."""
    return {one.label: one for one in NODES}[label]


def edge(type_: str) -> Edge:
    """The kind of edge of that type; KeyError when there is none."""
    return {one.type: one for one in EDGES}[type_]
