"""Frames that do not come through: a cut between two hosts, and loss of a share of them."""

import time

from himari.lab import rules
from himari.lab.lock import Held
from himari.lab.rules import Rule
from himari.lab.standing import Standing
from himari.lab.wire import Wire, wire
from himari.stack.errors import MachineError, StackFileError

LEAST_PERCENT = 0.1
PARTS = 100_000  # what a share is counted in
PROOF_S = 20.0


def cut(on: Standing, source: str, target: str, one_way: bool, under: Held) -> list[Rule]:
    """Let nothing through from `source` to `target` and, unless `one_way`, back. Raises HostError, MachineError."""
    made = {Rule("cut", a, b): f"{rules.between(on, a, b)} counter drop" for a, b in ways(source, target, one_way)}
    return _in_force(on, made, under)


def loss(on: Standing, source: str, target: str, percent: float, under: Held) -> list[Rule]:
    """Drop `percent` of all frames between two hosts, each by chance. Raises StackFileError beyond 0.1 to 100."""
    if not LEAST_PERCENT <= percent <= 100:
        raise StackFileError("this is no share to lose", f"{percent:g}", f"{LEAST_PERCENT} to 100 percent")
    chance = f"numgen random mod {PARTS} < {round(percent * PARTS / 100)} counter drop"
    made = {Rule("loss", a, b, percent): f"{rules.between(on, a, b)} {chance}" for a, b in ways(source, target, False)}
    return _in_force(on, made, under)


def ways(source: str, target: str, one_way: bool) -> list[tuple[str, str]]:
    """The directions between two hosts that a fault is for. Raises StackFileError for a host and itself."""
    if source == target:
        raise StackFileError("both ends are the same host", source, "two hosts of the lab")
    return [(source, target)] if one_way else [(source, target), (target, source)]


def _in_force(on: Standing, made: dict[Rule, str], under: Held) -> list[Rule]:
    rules.load(on, made, under)
    for rule in made:
        if rules.carries(on, rule):
            prove(on, rule)
    return list(made)


def prove(on: Standing, rule: Rule) -> None:
    """Send frames until `rule` has met one. Raises MachineError when it meets none."""
    before = rules.packets(on.lab, rule)
    deadline = time.monotonic() + PROOF_S
    with wire(*on.way(rule.source, rule.target)) as between:
        while rules.packets(on.lab, rule) == before:
            if time.monotonic() > deadline:
                raise MachineError(
                    what="the rule is loaded and meets nothing",
                    where=f"table bridge {on.lab.id}: {rule.comment}",
                    expected=f"frames from {rule.source} to {rule.target}",
                    hint=f"nft list table bridge {on.lab.id}",
                )
            _send_some(between, rule)


def _send_some(between: Wire, rule: Rule) -> None:
    for _ in range(round(200 / rule.value) if rule.kind == "loss" else 1):  # two are lost, on average
        between.send()
