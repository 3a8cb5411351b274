"""What the graph lacks of its rules and of the stack's own entities."""

from collections.abc import Iterable, Iterator

from himari.apply.declared.bolt import Change, Graph
from himari.catalog.graph_model import Rule, edge, entities, node, relations, rules
from himari.stack.model import Stack

_NAMED = 5  # names in a change's words


def content(stack: Stack, graph: Graph) -> Iterator[Change]:
    """The rules first, as they are what entities are found and told apart by."""
    held = _held_rules(graph)
    yield from (_rule(rule) for rule in rules() if _shape(rule) not in held)
    for label, wanted in entities(stack).items():
        yield from _nodes(graph, label, wanted)
    for type_, pairs in relations(stack).items():
        yield from _edges(graph, type_, pairs)


def _held_rules(graph: Graph) -> set[tuple[bool, bool, str, str]]:
    """The rules that the server has, under whatever name."""
    constraints = graph.ask("SHOW CONSTRAINTS YIELD type, entityType, labelsOrTypes, properties")
    indexes = graph.ask("SHOW INDEXES YIELD type, entityType, labelsOrTypes, properties WHERE type = 'RANGE'")
    unique = [row for row in constraints if row["type"].endswith("UNIQUENESS")]
    return {
        (of_constraints, row["entityType"] == "RELATIONSHIP", row["labelsOrTypes"][0], row["properties"][0])
        for of_constraints, rows in ((True, unique), (False, indexes))
        for row in rows
        if len(row["properties"]) == 1
    }


def _shape(rule: Rule) -> tuple[bool, bool, str, str]:
    return rule.unique, rule.of_edges, rule.on, rule.key


def _rule(rule: Rule) -> Change:
    what = f"()-[it:{rule.on}]-()" if rule.of_edges else f"(it:{rule.on})"
    demand = f"REQUIRE it.{rule.key} IS UNIQUE" if rule.unique else f"ON (it.{rule.key})"
    statement = f"CREATE {rule.kind.upper()} {rule.name} FOR {what} {demand}"
    return Change(says=f"{rule.kind} {rule.name}: create", statement=statement)


def _nodes(graph: Graph, label: str, wanted: dict[str, dict[str, str]]) -> Iterator[Change]:
    key = node(label).key
    held = {row["key"] for row in graph.ask(f"MATCH (it:{label}) RETURN it.{key} AS key")}
    missing = [one for one in wanted if one not in held]
    if missing:
        yield Change(
            says=f"{label} {_names(missing)}: create",
            statement=f"UNWIND $rows AS row MERGE (it:{label} {{{key}: row.key}}) "
            "ON CREATE SET it += row.given, it.created_at = datetime()",
            parameters={"rows": [{"key": one, "given": wanted[one]} for one in missing]},
        )


def _edges(graph: Graph, type_: str, wanted: tuple[tuple[str, str], ...]) -> Iterator[Change]:
    (start,), (end,) = edge(type_).starts, edge(type_).ends
    from_, to = f"{start} {{{node(start).key}: row[0]}}", f"{end} {{{node(end).key}: row[1]}}"
    asked = f"MATCH (a:{start})-[:{type_}]->(b:{end}) RETURN a.{node(start).key} AS a, b.{node(end).key} AS b"
    held = {(row["a"], row["b"]) for row in graph.ask(asked)}
    rows = [pair for pair in wanted if pair not in held]
    if rows:
        yield Change(
            says=f"edge {type_} {_names(f'{a} to {b}' for a, b in rows)}: create",
            statement=f"UNWIND $rows AS row MATCH (a:{from_}), (b:{to}) MERGE (a)-[:{type_}]->(b)",
            parameters={"rows": [list(pair) for pair in rows]},
        )


def _names(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
    return ", ".join(listed[:_NAMED]) + more
