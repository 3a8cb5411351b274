"""The rules between two hosts of a lab: a table of the bridge, which is itself the record of what is in force.

A rule matches the sender's hardware address, not its cable, so that it also meets what a delay has put in again."""

import subprocess
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from himari.lab.identity import Lab
from himari.lab.lock import Held
from himari.lab.standing import Standing
from himari.stack.errors import MachineError

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

    def same_pair(self, other: "Rule") -> bool:
        """Whether both do one kind of thing to the same two hosts, be it the other way round."""
        return self.kind == other.kind and {self.source, self.target} == {other.source, other.target}


class Loaded(msgspec.Struct, frozen=True):
    """A rule as the kernel has it."""

    rule: Rule
    chain: str
    handle: int
    packets: int  # that it has met since it was loaded


def load(on: Standing, rules: dict[Rule, str], under: Held) -> None:
    """Put `rules` (rule -> its statement in nft's words) in force in one step; each replaces its like."""
    lab = on.lab.id
    now = loaded(on.lab)
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
    if not doomed:
        return
    under.run(("nft", "-f", "-"), "".join(f"{_deletion(lab, one)}\n" for one in doomed))


def loaded(lab: Lab) -> list[Loaded]:
    """All rules in force between the hosts of `lab`. Raises MachineError when nft does not tell."""
    tables = msgspec.json.decode(_nft("list", "tables", "bridge"))["nftables"]
    if not any(entry.get("table", {}).get("name") == lab.id for entry in tables):
        return []
    return list(parse(_nft("list", "table", "bridge", lab.id)))


def touching(lab: Lab, hosts: Iterable[str]) -> list[Loaded]:
    """The rules in force from or to one of `hosts`."""
    meant = set(hosts)
    return [one for one in loaded(lab) if {one.rule.source, one.rule.target} & meant]


def packets(lab: Lab, rule: Rule) -> int:
    """How many frames `rule` has met; 0 when it is not in force."""
    return sum(one.packets for one in loaded(lab) if one.rule == rule)


def carries(on: Standing, rule: Rule) -> bool:
    """Whether frames go the way of `rule` at all: only then can one show what it does.

    Nothing leaves or reaches a host that is off, and nothing passes another rule that drops everything."""
    if not (on.powered(rule.source) and on.powered(rule.target)):
        return False
    others = (one.rule for one in loaded(on.lab) if one.rule.kind != rule.kind)
    same = (one for one in others if (one.source, one.target) == (rule.source, rule.target))
    return not any(one.kind == "cut" or (one.kind == "loss" and one.value >= 100) for one in same)


def parse(listed: bytes) -> Iterator[Loaded]:
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


def _nft(*order: str) -> bytes:
    done = subprocess.run(("nft", "-j", *order), check=False, capture_output=True)
    if done.returncode:
        what = f"`nft {' '.join(order)}` ended with {done.returncode}"
        raise MachineError(what, "this machine", "0", done.stderr.decode(errors="replace").strip())
    return done.stdout


def _chain(rule: Rule) -> str:
    return ENTER if rule.kind == "delay" else FORWARD


def _deletion(lab: Lab, one: Loaded) -> str:
    return f"delete rule bridge {lab.id} {one.chain} handle {one.handle}"
