"""Loaded rules, as `nft -j` prints them, are told in the words of what is declared."""

import json
from typing import Any

import pytest

from himari.catalog.firewall import Accept, Dial, Rules
from himari.proof.firewall import declared, hooks, loaded


def rules(
    *,
    whole_host: bool = True,
    calls: bool = False,
    ssh_from: tuple[str, ...] = ("10.200.0.1/32",),
    dials: tuple[Dial, ...] = (),
) -> Rules:
    redis = Accept(name="redis", protocol="tcp", port=6379, sources=("10.77.0.2",), tunnel=True)
    tunnel = Accept(name="wireguard", protocol="udp", port=51820, sources=(), tunnel=False)
    return Rules(
        whole_host=whole_host,
        tunnel=True,
        network="10.77.0.0/24",
        calls=calls,
        dials=dials,
        accepts=(redis, tunnel),
        ssh_port=22,
        ssh_from=ssh_from,
        ssh_from6=(),
    )


def match(left: dict[str, Any], right: object, op: str = "==") -> dict[str, Any]:
    return {"match": {"op": op, "left": left, "right": right}}


def meta(key: str, right: object) -> dict[str, Any]:
    return match({"meta": {"key": key}}, right)


def payload(protocol: str, field: str, right: object) -> dict[str, Any]:
    return match({"payload": {"protocol": protocol, "field": field}}, right)


def rule(chain: str, *expr: dict[str, Any], table: str = "himari") -> dict[str, Any]:
    return {"rule": {"table": table, "chain": chain, "expr": list(expr)}}


def chain(name: str, policy: str) -> dict[str, Any]:
    return {"chain": {"table": "himari", "name": name, "hook": name, "policy": policy}}


ACCEPT: dict[str, Any] = {"accept": None}
SSH = rule("input", payload("ip", "saddr", "10.200.0.1"), payload("tcp", "dport", 22), {"jump": {"target": "ssh"}})
EDGE = [
    *(chain("input", "drop"), chain("forward", "drop"), chain("output", "accept")),
    {"chain": {"table": "himari", "name": "ssh"}},
    rule("input", meta("iifname", "lo"), ACCEPT),
    rule("input", match({"ct": {"key": "state"}}, ["established", "related"], "in"), ACCEPT),
    rule("input", meta("l4proto", {"set": [1, 58]}), {"limit": {"rate": 100}}, ACCEPT),
    rule("input", meta("iifname", "wg0"), payload("ip", "saddr", "10.77.0.2"), payload("tcp", "dport", 6379), ACCEPT),
    rule("input", meta("iifname", "wg0"), {"counter": {"packets": 2}}, {"drop": None}),
    rule("input", payload("udp", "dport", 51820), ACCEPT),
    SSH,
    rule("ssh", ACCEPT),
    rule(
        "output",
        match({"meta": {"key": "oifname"}}, {"set": ["lo", "wg0"]}, "!="),
        payload("ip", "daddr", {"prefix": {"addr": "10.77.0.0", "len": 24}}),
        {"reject": {"type": "icmpx"}},
    ),
    rule("output", meta("oifname", "wg0"), {"reject": {"type": "icmpx"}}),
]


def printed(*entries: dict[str, Any]) -> str:
    return json.dumps({"nftables": [{"metainfo": {}}, *entries]})


def test_the_edges_rules_are_the_declared_ones() -> None:
    assert loaded(printed(*EDGE)) == declared(rules())
    assert hooks(printed(*EDGE)) == {"input": "drop", "forward": "drop", "output": "accept"}


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (rule("input", payload("tcp", "dport", 8080), ACCEPT), "input: tcp dport 8080 accept"),
        (rule("input", ACCEPT), "input: accept"),
        (rule("output", meta("oifname", "wg0"), ACCEPT), "output: oifname wg0 accept"),
        (rule("forward", meta("iifname", "eth0"), ACCEPT), "forward: iifname eth0 accept"),
        (
            rule("input", match({"payload": {"protocol": "ip", "field": "saddr"}}, "10.0.0.1", "!="), ACCEPT),
            "input: ip saddr not 10.0.0.1/32 accept",
        ),
        (
            rule("input", match({"fib": {"result": "type"}}, {"unknown": 1}), ACCEPT),
            'input: fib {"result": "type"} {"unknown": 1} accept',
        ),
    ],
)
def test_a_rule_too_many_is_told(extra: dict[str, Any], words: str) -> None:
    assert loaded(printed(*EDGE, extra)) - declared(rules()) == {words}


@pytest.mark.parametrize("missing", range(7, len(EDGE)))
def test_a_rule_too_few_is_told(missing: int) -> None:
    left = [entry for index, entry in enumerate(EDGE) if index != missing]
    in_a_hook = EDGE[missing]["rule"]["chain"] != "ssh"
    assert bool(declared(rules()) - loaded(printed(*left))) is in_a_hook


def test_protocols_are_the_same_by_name_and_by_number() -> None:
    named = rule("input", meta("l4proto", {"set": ["icmp", "ipv6-icmp"]}), {"limit": {"rate": 100}}, ACCEPT)
    assert loaded(printed(*EDGE[:3], named)) == loaded(printed(*EDGE[:3])) == set()


def test_rules_of_other_tables_open_nothing() -> None:
    assert loaded(printed(*EDGE, rule("input", ACCEPT, table="docker"))) == declared(rules())


def test_networks_are_the_same_however_they_are_written() -> None:
    networks = {"set": [{"prefix": {"addr": "10.1.0.0", "len": 17}}, {"range": ["10.1.128.0", "10.1.255.255"]}]}
    ssh = rule("input", payload("ip", "saddr", networks), payload("tcp", "dport", 22), {"jump": {"target": "ssh"}})
    ruleset = printed(*(ssh if entry is SSH else entry for entry in EDGE))
    assert loaded(ruleset) == declared(rules(ssh_from=("10.1.0.0/16",)))


def test_a_machine_of_the_users_own_has_only_the_tunnels_rules() -> None:
    assert declared(rules(whole_host=False, calls=True)) == {
        "input: iifname wg0 ip saddr 10.77.0.2/32 tcp dport 6379 accept",
        "input: iifname wg0 drop",
        "output: oifname not lo,wg0 ip daddr 10.77.0.0/24 reject",
        "forward: iifname wg0 drop",
        "forward: oifname wg0 drop",
    }


def test_what_a_host_may_open_over_the_tunnel_is_declared_too() -> None:
    dial = Dial(name="kafka", protocol="tcp", port=9092, targets=("10.77.0.3", "10.77.0.4"))
    dialled = {"set": ["10.77.0.3", "10.77.0.4"]}
    accept = rule(
        "output", meta("oifname", "wg0"), payload("ip", "daddr", dialled), payload("tcp", "dport", 9092), ACCEPT
    )
    assert loaded(printed(*EDGE, accept)) == declared(rules(dials=(dial,)))
    assert loaded(printed(*EDGE, accept)) - declared(rules())


def test_without_a_table_nothing_is_loaded() -> None:
    assert loaded("") == set()
    assert hooks("") == {}
