"""The consumer: alive, quiet, and bounded. What it stored is the ledger's matter."""

from himari.catalog.consumer import UNIT
from himari.proof.checks import Case, Observed, check
from himari.proof.probe import Probe


@check("consumer.quiet", "the consumer logs no errors", severity="warning", replaces="8.1: recent errors")
def test_quiet(probe: Probe, observed: Observed) -> None:
    lines = [line for line in probe.errors if "himari-consumer" in line]
    observed(lines[-1] if lines else "no errors")
    assert not lines, f"{len(lines)} at level error, the last: {lines[-1]}"


@check("consumer.dies-whole", "stopping the consumer stops all of it")
def test_kill_mode(probe: Probe, observed: Observed) -> None:
    assert observed(probe.unit(UNIT).get("KillMode")) == "control-group"


@check("consumer.memory_max", "systemd bounds the consumer's memory")
def test_memory_limit(probe: Probe, observed: Observed) -> None:
    assert observed(probe.unit(UNIT).get("MemoryMax", "")).isdigit(), "no limit"


@check(
    "consumer.ip_allow",
    "the consumer exchanges packets with the tunnel only",
    replaces="2.2: Brain cannot access market",
)
def test_addresses(case: Case, probe: Probe, observed: Observed) -> None:
    unit = probe.unit(UNIT)
    observed(unit.get("IPAddressAllow", ""))
    assert "0.0.0.0/0" in unit.get("IPAddressDeny", ""), "no address is denied"
    assert case.view.stack.network.wireguard in unit.get("IPAddressAllow", "")
