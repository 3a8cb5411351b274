"""The server of sealed segments: it can read the journal, and answers the tunnel alone."""

from himari.catalog.ports import SEGMENTS_METRICS
from himari.catalog.segments import UNIT
from himari.proof.checks import Case, Observed, check
from himari.proof.probe import Probe
from himari.stack.network import tunnel_address


@check("segments.quiet", "the server of segments logs no errors", severity="warning")
def test_quiet(probe: Probe, observed: Observed) -> None:
    lines = probe.errors(UNIT)
    observed(f"{len(lines)} in the last hour")
    assert not lines, f"the last of them: {lines[-1]}"


@check("segments.reads", "what the journal has sealed is there for a brain that was away")
def test_reads(case: Case, probe: Probe, observed: Observed) -> None:
    values = probe.metrics(f"{tunnel_address(case.view.stack, case.host)}:{SEGMENTS_METRICS}").values
    observed(f"{values['himari_segments_listed']:.0f} segments")
    assert values["himari_segments_readable"], f"the journal cannot be read: `journalctl -u {UNIT}` tells why"


@check("segments.dies-whole", "stopping the server of segments stops all of it")
def test_kill_mode(probe: Probe, observed: Observed) -> None:
    assert observed(probe.unit(UNIT).get("KillMode")) == "control-group"


@check("segments.comes-back", "a server of segments that ends is started again")
def test_restart(probe: Probe, observed: Observed) -> None:
    assert observed(probe.unit(UNIT).get("Restart")) == "always"


@check("segments.memory_max", "systemd bounds its memory")
def test_memory_limit(probe: Probe, observed: Observed) -> None:
    assert observed(probe.unit(UNIT).get("MemoryMax", "")).isdigit(), "no limit"


@check("segments.ip_allow", "it exchanges packets with the tunnel only")
def test_addresses(case: Case, probe: Probe, observed: Observed) -> None:
    unit = probe.unit(UNIT)
    observed(unit.get("IPAddressAllow", ""))
    assert "0.0.0.0/0" in unit.get("IPAddressDeny", ""), "no address is denied"
    assert case.view.stack.network.wireguard in unit.get("IPAddressAllow", "")
