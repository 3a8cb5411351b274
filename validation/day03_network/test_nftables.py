"""The firewall: what its rules are, what the host listens on, and what others meet."""

import json
from typing import Any, cast

from himari.proof.checks import Case, Observed, check
from himari.proof.crossings import Crossing
from himari.proof.probe import Probe
from himari.proof.subject import Subject

LOOPBACK = ("127.", "::1")
EPHEMERAL = 32768


def chains(probe: Probe) -> dict[str, dict[str, Any]]:
    """Our table's chains that hang on a hook, by hook."""
    entries = json.loads(probe.raw.commands["nftables"].out or '{"nftables": []}')["nftables"]
    found = (entry["chain"] for entry in entries if "chain" in entry)
    return {chain["hook"]: chain for chain in found if chain["table"] == "himari" and "hook" in chain}


@check("nftables.rules", "the table of our own is loaded", replaces="day 3, step 3.3; 4.3: firewall active")
def test_rules(probe: Probe, observed: Observed) -> None:
    hooks = {hook: chain.get("policy", "") for hook, chain in chains(probe).items()}
    observed([f"{hook} {policy}" for hook, policy in hooks.items()])
    assert "input" in hooks


@check("nftables.drop", "what no rule accepts is dropped", replaces="day 3, step 3.3: default deny incoming")
def test_policy(case: Case, probe: Probe, observed: Observed) -> None:
    policy = observed(chains(probe).get("input", {}).get("policy", "no chain"))
    assert policy == ("accept" if case.view.host.existing else "drop")


@check("nftables.allow-list", "the host listens on nothing that the stack does not name")
def test_listeners(case: Case, probe: Probe, observed: Observed, subject: Subject) -> None:
    allowed = subject.listeners(case.host)
    open_sockets = [one for one in probe.sockets if not one.address.startswith(LOOPBACK) and one.port < EPHEMERAL]
    strangers = [one for one in open_sockets if (one.protocol, one.port) not in allowed]
    observed([f"{one.protocol} {one.address}:{one.port} {one.process}" for one in strangers])
    if case.view.host.existing:
        strangers = [one for one in strangers if one.address in subject.places(case.host)]
    assert not strangers, "; ".join(f"{one.process or 'unknown'} on {one.protocol} {one.port}" for one in strangers)


@check(
    "nftables.{item}",
    "{says}",
    each="probes",
    replaces="day 3, step 3.3: Redis not exposed; 2.2: one-way flow",
)
def test_crossings(case: Case, observed: Observed, subject: Subject) -> None:
    crossing = cast(Crossing, case.item)
    outcome = subject.outcome(crossing)
    observed(f"{outcome} after {outcome.seconds:.1f} s")
    assert outcome.outcome in crossing.expected, f"{outcome.outcome}, expected {' or '.join(crossing.expected)}"
