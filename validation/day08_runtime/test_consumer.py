"""The consumer: alive, storing, and bounded. Whether it stored all of it is the ledger's matter."""

from himari.catalog.consumer import UNIT
from himari.catalog.ports import CONSUMER_METRICS
from himari.proof import readings
from himari.proof.checks import Case, Observed, check, found
from himari.proof.probe import Probe
from himari.stack.network import tunnel_address


@check("consumer.quiet", "the consumer logs no errors", severity="warning", replaces="8.1: recent errors")
def test_quiet(probe: Probe, observed: Observed) -> None:
    lines = probe.errors(UNIT)
    observed(f"{len(lines)} in the last hour")
    assert not lines, f"the last of them: {lines[-1]}"


@check("consumer.dies-whole", "stopping the consumer stops all of it")
def test_kill_mode(probe: Probe, observed: Observed) -> None:
    assert observed(probe.unit(UNIT).get("KillMode")) == "control-group"


@check("consumer.comes-back", "a consumer that ends is started again", replaces="5.3: reconnect after errors")
def test_restart(probe: Probe, observed: Observed) -> None:
    assert observed(probe.unit(UNIT).get("Restart")) == "always"


@check(
    "consumer.stores", "what the edge receives is in Parquet soon after", replaces="5.3: consume_stream; 7.2: step 6"
)
def test_stores(case: Case, probe: Probe, observed: Observed) -> None:
    counted = probe.metrics(f"{tunnel_address(case.view.stack, case.host)}:{CONSUMER_METRICS}")
    newest = counted.values["himari_stored_received_ns"] / 1e9
    most = case.view.stack.retention.stored_age_most_s
    observed(f"{counted.now - newest:.0f} s old" if newest else "nothing stored")
    assert newest, "nothing was ever stored"
    assert counted.now - newest <= most, (
        f"at most {most:.0f} s expected: does the tunnel carry, and is there room on disk?"
    )


@check("consumer.open-files", "the consumer has files to open, and leaves no core behind")
def test_open_files(probe: Probe, observed: Observed) -> None:
    limits = readings.limits(found(probe.process(UNIT), "the consumer has no process").limits)
    files, core = limits["Max open files"], limits["Max core file size"]
    observed(f"{files} files, core {core}")
    assert files is None or files >= 1024, "fewer than 1024 files"
    assert core == 0, "a core would hold what the consumer knows"


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
