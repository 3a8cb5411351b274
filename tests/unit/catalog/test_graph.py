"""What must be open is open to those who need it; everything else is tried and must be refused."""

from collections.abc import Callable

import msgspec
import pytest

from himari.catalog.component import Feed, View
from himari.catalog.graph import OUTSIDE, listeners, probes
from himari.catalog.links import links
from himari.stack.model import Access

Shipped = Callable[..., View]
EDGE, BRAIN, VENUE = "10.77.0.1", "10.77.0.2", "10.200.7.2"


def tried(view: View) -> dict[tuple[str, str, int], str]:
    found = probes(view.stack, view.known, view.feed)
    return {(one.from_host, one.address, one.port): str(one.expect) for one in found}


@pytest.mark.parametrize(
    ("source", "address", "port", "expected"),
    [
        ("brain", EDGE, 6379, "open"),
        ("brain", EDGE, 9464, "open"),
        ("brain", EDGE, 9100, "open"),
        ("brain", EDGE, 9121, "open"),
        ("edge", BRAIN, 9100, "refused"),
        (OUTSIDE, "10.200.7.3", 9100, "refused"),
        ("exchange", "10.200.7.3", 9121, "refused"),
        ("brain", EDGE, 22, "open"),
        ("brain", EDGE, 8080, "refused"),
        ("brain", EDGE, 9466, "open"),
        ("brain", EDGE, 9467, "open"),
        ("exchange", "10.200.7.3", 9466, "refused"),
        (OUTSIDE, "10.200.7.3", 9466, "refused"),
        ("edge", BRAIN, 22, "refused"),
        ("edge", BRAIN, 9465, "refused"),
        ("edge", BRAIN, 8080, "refused"),
        ("edge", VENUE, 9443, "open"),
        ("brain", VENUE, 9443, "refused"),
        (OUTSIDE, VENUE, 9443, "refused"),
        (OUTSIDE, "10.200.7.3", 22, "refused"),
        (OUTSIDE, "10.200.7.3", 6379, "refused"),
        (OUTSIDE, "10.200.7.3", 51820, "refused"),
        ("exchange", "10.200.7.3", 6379, "refused"),
    ],
)
def test_each_way_is_tried(view: Shipped, source: str, address: str, port: int, expected: str) -> None:
    assert tried(view("lab-edge", "edge"))[source, address, port] == expected


def test_only_what_a_component_talks_to_is_open(view: Shipped) -> None:
    open_ways = {way for way, expect in tried(view("lab-edge", "edge")).items() if expect == "open"}
    over_tunnel = {("brain", EDGE, port) for port in (22, 6379, 9100, 9121, 9464, 9466, 9467)}
    assert open_ways == over_tunnel | {("edge", VENUE, 9443)}


def test_nobody_needs_the_exchange_while_the_real_venue_is_read(view: Shipped) -> None:
    assert tried(view("lab-edge", "edge", Feed(live=True)))["edge", VENUE, 9443] == "refused"


def test_the_users_own_machine_is_tried_over_the_tunnel_only(view: Shipped) -> None:
    stack = view("vps-brain", "edge")
    found = [one for one in probes(stack.stack, stack.known) if one.to_host == "brain"]
    assert {one.address for one in found} == {BRAIN}
    assert {str(one.expect) for one in found} == {"refused"}


def test_ssh_that_is_open_to_all_is_not_tried_from_outside(view: Shipped) -> None:
    edge = view("vps-brain", "edge")
    open_stack = msgspec.structs.replace(edge.stack, access=Access(ssh_from=("0.0.0.0/0",)))
    wide = {one.port for one in probes(open_stack, edge.known) if one.from_host == OUTSIDE}
    assert 22 not in wide
    assert 6379 in wide


def test_a_host_listens_on_what_its_components_say(view: Shipped) -> None:
    assert {(one.name, one.port) for one in listeners(view("lab-edge", "edge"))} == {
        ("ssh", 22),
        ("redis", 6379),
        ("wireguard", 51820),
        ("node-metrics", 9100),
        ("redis-metrics", 9121),
        ("collector-metrics", 9464),
        ("segments", 9466),
        ("segments-metrics", 9467),
    }


def test_callers_are_those_who_talk(view: Shipped) -> None:
    edge = view("lab-edge", "edge")
    graph = links(edge)
    callers = {flow.listener.name: flow.callers for flow in graph.accepted("edge")}
    metrics = ("node-metrics", "redis-metrics", "collector-metrics", "segments-metrics")
    assert callers == dict.fromkeys(("redis", "wireguard", "ssh", "segments", *metrics), ("brain",))
