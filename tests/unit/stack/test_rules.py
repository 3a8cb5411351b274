"""What a file may not say although each value is well-formed."""

import pytest

from himari.stack.errors import StackFileError
from himari.stack.load import parse_stack

CASES = [
    (
        "lab beside others",
        ('provider = "static"\naddress = "203.0.113.10"', 'provider = "lab"'),
        "hosts.brain.provider",
    ),
    ("no network", ("[access]", '[network]\nwireguard = "10.77.0.5/24"\n[access]'), "network.wireguard"),
    ("too small a network", ("[access]", '[network]\nwireguard = "10.77.0.0/31"\n[access]'), "network.wireguard"),
    ("tunnel in ssh_from", ("198.51.100.7/32", "10.77.0.0/16"), "network.wireguard"),
    ("tunnel over a host", ('"203.0.113.10"', '"10.77.0.9"'), "network.wireguard"),
    (
        "tunnel in the labs' range",
        ("[access]", '[network]\nwireguard = "10.205.0.0/24"\n[access]'),
        "network.wireguard",
    ),
    ("impossible mtu", ("[access]", "[network]\nmtu = 100\n[access]"), "network.mtu"),
    ("ssh_from is no network", ("198.51.100.7/32", "home"), "access.ssh_from[0]"),
    ("nobody could log in", ('ssh_from = ["198.51.100.7/32"]', ""), "access.ssh_from"),
    ("one address for two", ('"203.0.113.10"', '"local"'), "hosts.edge.address"),
    ("no edge", ('roles = ["edge"]', 'roles = ["brain"]'), "hosts"),
    ("no role", ('roles = ["edge"]', "roles = []"), "hosts"),
    ("two roles", ('roles = ["edge"]', 'roles = ["edge", "brain"]'), "hosts.edge.roles"),
    ("exchange outside a lab", ('roles = ["edge"]', 'roles = ["exchange"]'), "hosts"),
    ("no address", ('address = "203.0.113.10"\n', ""), "hosts.edge.address"),
    ("no size", ("memory_mb = 2048\n", ""), "hosts.edge.memory_mb"),
    ("existing edge", ("cpus = 2", "existing = true\ncpus = 2"), "hosts.edge.existing"),
    ("cloud host without plan", ('"static"\naddress = "203.0.113.10"', '"vultr"'), "hosts.edge.plan"),
    ("unknown venue", ("venues.binance", "venues.binanse"), "venues.binanse"),
    ("no symbol", ('["BTC/USDT"]', "[]"), "venues.binance.symbols"),
    ("a symbol without a slash", ("BTC/USDT", "BTCUSDT"), "venues.binance.symbols"),
    ("a symbol twice", ('["BTC/USDT"]', '["BTC/USDT", "BTC/USDT"]'), "venues.binance.symbols"),
    (
        "a line that lives until it is cut",
        ("frames_per_s", "line_hours = 24\nframes_per_s"),
        "venues.binance.line_hours",
    ),
    ("half a mirror", ("frames_per_s", 'rest_url = "https://x"\nframes_per_s'), "venues.binance.websocket_url"),
    (
        "a mirror without TLS",
        ("frames_per_s", 'rest_url = "http://x"\nwebsocket_url = "wss://x"\nframes_per_s'),
        "venues.binance.rest_url",
    ),
    ("no such file", ("frames_per_s", 'ca_file = "/nowhere.pem"\nframes_per_s'), "venues.binance.ca_file"),
    ("no URL", ("[retention]", '[alerts]\nwebhook = "me"\n[retention]'), "alerts.webhook"),
]


@pytest.mark.parametrize(("change", "key"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_key_is_named_and_something_else_is_offered(good: str, change: tuple[str, str], key: str) -> None:
    assert change[0] in good, "the case changes nothing"
    with pytest.raises(StackFileError) as caught:
        parse_stack(good.replace(change[0], change[1], 1), "two.toml")
    assert caught.value.where == f"two.toml: {key}"
    assert caught.value.expected


def test_a_line_may_live_until_its_successor_has_just_time_enough(good: str) -> None:
    stack = parse_stack(good.replace("frames_per_s", "line_hours = 23.5\nframes_per_s", 1), "two.toml")
    assert stack.venues["binance"].line_hours == 23.5


def test_no_host_at_all_is_refused(good: str) -> None:
    with pytest.raises(StackFileError, match="no host"):
        parse_stack(good[: good.index("[hosts.edge]")] + "[hosts]\n", "two.toml")


def test_an_edge_that_its_brain_could_not_call_is_refused(good: str) -> None:
    swapped = good.replace('"local"\nexisting = true', '"198.51.100.9"').replace('"203.0.113.10"', '"local"')
    with pytest.raises(StackFileError, match="no brain can call it") as caught:
        parse_stack(swapped, "two.toml")
    assert caught.value.where == "two.toml: hosts.edge.address"


def test_an_exchange_outside_a_lab_is_refused_even_beside_an_edge(good: str) -> None:
    stranger = good[good.index("[hosts.edge]") : good.index("[hosts.brain]")]
    stranger = stranger.replace("hosts.edge", "hosts.venue").replace('"edge"', '"exchange"').replace("113.10", "113.11")
    with pytest.raises(StackFileError, match="outside a lab"):
        parse_stack(good + stranger, "two.toml")


def test_everybody_may_be_allowed_to_reach_ssh(good: str) -> None:
    assert parse_stack(good.replace("198.51.100.7/32", "0.0.0.0/0"), "two.toml").access.ssh_from == ("0.0.0.0/0",)
