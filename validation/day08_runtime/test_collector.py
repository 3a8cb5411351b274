"""The collector: alive, fed, and with the limits that it was given."""

from himari.catalog.collector import UNIT
from himari.catalog.cpus import layout
from himari.proof import readings
from himari.proof.checks import Case, Observed, check, found
from himari.proof.probe import Probe


@check("collector.quiet", "the collector logs no errors", severity="warning", replaces="8.1: recent errors")
def test_quiet(probe: Probe, observed: Observed) -> None:
    lines = [line for line in probe.errors if "himari-collector" in line]
    observed(lines[-1] if lines else "no errors")
    assert not lines, f"{len(lines)} at level error, the last: {lines[-1]}"


@check("collector.cpus", "the collector runs on its CPUs", replaces="4.2: CPUAffinity")
def test_cpus(case: Case, probe: Probe, observed: Observed) -> None:
    threads = found(probe.process(UNIT), "the collector has no process").threads
    allowed = readings.cpus(layout(case.view.host.cpus or 1).collector)
    observed({thread.cpus for thread in threads})
    assert all(readings.cpus(thread.cpus) <= allowed for thread in threads)


@check("collector.dies-whole", "stopping the collector stops all of it")
def test_kill_mode(probe: Probe, observed: Observed) -> None:
    assert observed(probe.unit(UNIT).get("KillMode")) == "control-group"


@check("collector.memory_max", "systemd bounds the collector's memory", replaces="4.2: MemoryMax")
def test_memory_limit(probe: Probe, observed: Observed) -> None:
    assert observed(probe.unit(UNIT).get("MemoryMax", "")).isdigit(), "no limit"


@check(
    "collector.feeds", "each stream has an epoch of the collector", replaces="4.1: collectors running; 7.2: data flow"
)
def test_feeds(probe: Probe, observed: Observed) -> None:
    ends = {name: readings.stream_end(reply) for name, reply in probe.buffer.streams.items()}
    observed([f"{name} {end[1]}-{end[2]}" if end else f"{name} missing" for name, end in ends.items()])
    missing = [name for name, end in ends.items() if end is None or end[1] < 1]
    assert not missing, "nothing was ever pushed to " + ", ".join(missing)
