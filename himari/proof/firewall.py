"""A host's loaded rules in words, beside those that the stack asks for."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_address, ip_network, summarize_address_range
from typing import Any

from himari.catalog.firewall import Accept, Dial, Rules
from himari.catalog.hostpaths import WIREGUARD_INTERFACE

TABLE = "himari"
VERDICTS = ("accept", "drop", "reject", "jump")
Network = IPv4Network | IPv6Network
# nft prints them by name on a host that has /etc/protocols, by number on one that has not.
NUMBERS = {"icmp": "1", "ipv6-icmp": "58"}

# What any host needs to be on a network at all: answers, ICMP, neighbours, its own address.
HARMLESS = frozenset(
    {
        "input: iifname lo accept",
        "input: ct state established,related accept",
        "input: ct state invalid drop",
        "input: meta l4proto 1,58 accept",
        "input: icmpv6 type nd-neighbor-advert,nd-neighbor-solicit,nd-router-advert accept",
        "input: udp sport 67 udp dport 68 accept",
        "input: ip6 saddr fe80::/10 udp dport 546 accept",
        f"input: iifname {WIREGUARD_INTERFACE} ct state established,related accept",
        f"input: iifname {WIREGUARD_INTERFACE} meta l4proto 1,58 accept",
        f"output: oifname {WIREGUARD_INTERFACE} ct state established,related accept",
        f"output: oifname {WIREGUARD_INTERFACE} meta l4proto 1,58 accept",
    }
)


def hooks(ruleset: str) -> dict[str, str]:
    """The policies of our table's chains that hang on a hook, by hook; `ruleset` is what `nft -j` prints."""
    chains = (entry["chain"] for entry in _entries(ruleset) if "chain" in entry)
    return {chain["hook"]: chain["policy"] for chain in chains if chain["table"] == TABLE and "hook" in chain}


def loaded(ruleset: str) -> set[str]:
    """The rules of those chains that decide anything, in words, without the harmless ones."""
    rules = (entry["rule"] for entry in _entries(ruleset) if "rule" in entry)
    ours = (rule for rule in rules if rule["table"] == TABLE and rule["chain"] in hooks(ruleset))
    return {words for rule in ours for words in _words(rule)} - HARMLESS


def declared(rules: Rules) -> set[str]:
    """The same of what the stack asks for."""
    tunnel = WIREGUARD_INTERFACE
    found = {f"input: {_accepted(accept)} accept" for accept in rules.accepts if rules.whole_host or accept.tunnel}
    if rules.whole_host:
        for family, networks in (("ip", rules.ssh_from), ("ip6", rules.ssh_from6)):
            if networks:
                found.add(f"input: {family} saddr {_joined(networks)} tcp dport {rules.ssh_port} jump ssh")
    if rules.tunnel:
        found.add(f"input: iifname {tunnel} drop")
        found.add(f"output: oifname not lo,{tunnel} ip daddr {_joined([rules.network])} reject")
        found |= set() if rules.calls else {f"output: oifname {tunnel} reject"}
        found |= {f"output: {_dialled(dial)} accept" for dial in rules.dials}
        found |= set() if rules.whole_host else {f"forward: {way} {tunnel} drop" for way in ("iifname", "oifname")}
    return found


def _accepted(accept: Accept) -> str:
    words = [f"iifname {WIREGUARD_INTERFACE}"] if accept.tunnel else []
    words += [f"ip saddr {_joined(accept.sources)}"] if accept.sources else []
    return " ".join([*words, f"{accept.protocol} dport {accept.port}"])


def _dialled(dial: Dial) -> str:
    return f"oifname {WIREGUARD_INTERFACE} ip daddr {_joined(dial.targets)} {dial.protocol} dport {dial.port}"


def _entries(ruleset: str) -> Sequence[Mapping[str, Any]]:
    entries: Sequence[Mapping[str, Any]] = json.loads(ruleset or '{"nftables": []}')["nftables"]
    return entries


def _words(rule: Mapping[str, Any]) -> Iterator[str]:
    conditions = [_condition(part["match"]) for part in rule["expr"] if "match" in part]
    for part in rule["expr"]:
        verdict = next((name for name in VERDICTS if name in part), "")
        if verdict:
            target = f" {part['jump']['target']}" if verdict == "jump" else ""
            yield " ".join([f"{rule['chain']}:", *conditions, verdict + target])


def _condition(match: Mapping[str, Any]) -> str:
    kind, left = next(iter(match["left"].items()))
    negated = "not " if match["op"] == "!=" else ""
    if kind == "payload":
        name = f"{left['protocol']} {left['field']}"
    else:
        key = left.get("key") or json.dumps(left)
        name = key if key in ("iifname", "oifname") else f"{kind} {key}"
    values = _values(match["right"])
    if name == "meta l4proto":
        values = (NUMBERS.get(value, value) for value in values)
    return f"{name} {negated}{_joined(values)}"


def _values(right: Any) -> Iterator[str]:
    """The one value or the several of a match's right side."""
    if isinstance(right, dict) and "set" in right:
        right = right["set"]
    for value in right if isinstance(right, list) else [right]:
        if not isinstance(value, dict):
            yield str(value)
        elif "prefix" in value:
            yield f"{value['prefix']['addr']}/{value['prefix']['len']}"
        elif "range" in value:
            first, last = (ip_address(end) for end in value["range"])
            yield from (str(network) for network in summarize_address_range(first, last))
        else:
            yield json.dumps(value)


def _joined(values: Iterable[str]) -> str:
    """Values in one order; addresses as networks, joined where they touch, as nft may write them either way."""
    words = sorted(values)
    try:
        networks: list[Network] = [ip_network(word) for word in words if not word.isdigit()]
    except ValueError:
        return ",".join(words)
    collapsed = collapse_addresses(networks)  # type: ignore[type-var]  # one match names one family
    return ",".join([*(word for word in words if word.isdigit()), *(str(network) for network in collapsed)])
