"""The rules between two hosts of a lab: a table of the bridge, which is itself the record of what is in force.

A rule matches the sender's hardware address, not its cable, so that it also meets what a delay has put in again."""

from collections.abc import Iterator
from typing import Any

import msgspec

from himari.lab.identity import Lab
from himari.lab.lock import Held
from himari.lab.standing import Standing

FORWARD, ENTER = "forward", "enter"  # the chains: between two ports; before the bridge chooses the port
DIGITS = 12  # of a value in a comment: all of any rate that one can ask for


class Rule(msgspec.Struct, frozen=True):
    """One rule, from a host to another; its comment in the table says the same."""

    kind: str  # cut, loss, rate or delay
    source: str
    target: str
    value: float = 0.0  # percent, bytes a second or milliseconds

    @property
    def comment(self) -> str:
        return f"{self.kind} {self.source} {self.target} {self.value:.{DIGITS}g}"

    def same_way(self, other: "Rule") -> bool:
        """Whether both do one kind of thing to one direction."""
        return (self.kind, self.source, self.target) == (other.kind, other.source, other.target)


class Loaded(msgspec.Struct, frozen=True):
    """A rule as the kernel has it."""

    rule: Rule
    chain: str
    handle: int
    packets: int  # that it has met since it was loaded


def load(on: Standing, rules: dict[Rule, str], under: Held) -> None:
    """Put `rules` (rule -> its statement in nft's words) in force in one step; each replaces its like."""
    lab = on.lab.id
    now = loaded(on.lab, under)
    old = [one for one in now if any(one.rule.same_way(rule) for rule in rules) and one.rule not in rules]
    new = [rule for rule in rules if all(one.rule != rule for one in now)]
    lines = (
        f"table bridge {lab} {{ chain {FORWARD} {{ type filter hook forward priority filter; }}; "
        f"chain {ENTER} {{ type filter hook prerouting priority dstnat; }}; }}",
        *(_deletion(on.lab, one) for one in old),
        *(f'add rule bridge {lab} {_chain(rule)} {rules[rule]} comment "{rule.comment}"' for rule in new),
    )
    under.run(("nft", "-f", "-"), "\n".join(lines) + "\n")


def unload(lab: Lab, doomed: list[Loaded], under: Held) -> None:
    """Take `doomed` out of force in one step."""
    under.run(("nft", "-f", "-"), "".join(f"{_deletion(lab, one)}\n" for one in doomed))


def loaded(lab: Lab, under: Held) -> list[Loaded]:
    """All rules in force between the hosts of `lab`."""
    tables = msgspec.json.decode(under.run(("nft", "-j", "list", "tables", "bridge")))["nftables"]
    if not any(entry.get("table", {}).get("name") == lab.id for entry in tables):
        return []
    return list(parse(under.run(("nft", "-j", "list", "table", "bridge", lab.id))))


def packets(lab: Lab, rule: Rule, under: Held) -> int:
    """How many frames `rule` has met; 0 when it is not in force."""
    return sum(one.packets for one in loaded(lab, under) if one.rule == rule)


def parse(listed: str) -> Iterator[Loaded]:
    """The rules in what `nft -j list table` printed."""
    for entry in msgspec.json.decode(listed)["nftables"]:
        if "rule" in entry:
            yield _loaded(entry["rule"])


def between(on: Standing, source: str, target: str) -> str:
    """The match of what `source` sends to `target`, for the chain `forward`."""
    return f'ether saddr {on.hardware(source)} oifname "{on.link(target)}"'


def _loaded(listed: dict[str, Any]) -> Loaded:
    kind, source, target, value = listed["comment"].split()
    counted = sum(part["counter"]["packets"] for part in listed["expr"] if "counter" in part)
    return Loaded(Rule(kind, source, target, float(value)), listed["chain"], listed["handle"], counted)


def _chain(rule: Rule) -> str:
    return ENTER if rule.kind == "delay" else FORWARD


def _deletion(lab: Lab, one: Loaded) -> str:
    return f"delete rule bridge {lab.id} {one.chain} handle {one.handle}"
