"""The firewall: what its rules are, what the host listens on, and what others meet."""

from typing import cast

from himari.catalog.firewall import rules
from himari.proof import firewall
from himari.proof.checks import Case, Observed, check
from himari.proof.crossings import Crossing
from himari.proof.probe import Probe
from himari.proof.subject import Subject

LOOPBACK = ("127.", "::1")
EPHEMERAL = 32768


@check("nftables.rules", "the table of our own is loaded", replaces="day 3, step 3.3; 4.3: firewall active")
def test_rules(probe: Probe, observed: Observed) -> None:
    hooks = firewall.hooks(probe.ruleset)
    observed([f"{hook} {policy}" for hook, policy in hooks.items()])
    assert {"input", "forward"} <= set(hooks), "`systemctl restart himari-firewall` loads it"


@check(
    "nftables.accepts",
    "the loaded rules let in, and out over the tunnel, what the stack asks for and nothing else",
    replaces="day 3, step 3.3: allow rules, ufw status; 2.2: forbidden flows",
)
def test_accepts(case: Case, probe: Probe, observed: Observed) -> None:
    seen, wanted = firewall.loaded(probe.ruleset), firewall.declared(rules(case.view))
    observed(seen)
    mend = "`systemctl restart himari-firewall` loads the declared rules"
    assert not seen - wanted, f"besides what is declared: {'; '.join(sorted(seen - wanted))}; {mend}"
    assert not wanted - seen, f"declared and not loaded: {'; '.join(sorted(wanted - seen))}; {mend}"


@check("nftables.drop", "what no rule accepts is dropped", replaces="day 3, step 3.3: default deny incoming")
def test_policy(case: Case, probe: Probe, observed: Observed) -> None:
    hooks = firewall.hooks(probe.ruleset)
    policies = observed([hooks.get(hook, "no chain") for hook in ("input", "forward")])
    assert set(policies) == {"accept" if case.view.host.existing else "drop"}


@check("nftables.allow-list", "the host listens on nothing that the stack does not name")
def test_listeners(case: Case, probe: Probe, observed: Observed, subject: Subject) -> None:
    allowed = subject.listeners(case.host)
    # A UDP socket on a high port may be a client that waits for its answer; a TCP listener never is.
    open_sockets = [
        one
        for one in probe.sockets
        if not one.address.startswith(LOOPBACK) and (one.protocol == "tcp" or one.port < EPHEMERAL)
    ]
    strangers = [one for one in open_sockets if (one.protocol, one.port) not in allowed]
    observed([f"{one.protocol} {one.address}:{one.port} {one.process}" for one in open_sockets])
    if case.view.host.existing:
        strangers = [one for one in strangers if one.address in subject.places(case.host)]
    named = "; ".join(f"{one.process or 'unknown'} on {one.protocol} {one.port}" for one in strangers)
    assert not strangers, f"{named}: stop it, or let a component declare it"


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
    assert outcome.outcome in crossing.expected, f"{outcome}, expected {' or '.join(crossing.expected)}"
