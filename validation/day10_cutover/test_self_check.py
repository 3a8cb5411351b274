"""The host's own daily and weekly look: their timers tick, and the last one ended."""

from himari.catalog.self_check import service, timer
from himari.proof.checks import Observed, check
from himari.proof.probe import Probe


@check("self-check.daily", "the daily self-check waits for its time", replaces="8.1: daily-operations.sh, by hand")
def test_daily(probe: Probe, observed: Observed) -> None:
    assert observed(probe.unit(timer("daily")).get("SubState")) in ("waiting", "running")


@check("self-check.weekly", "the weekly self-check waits for its time")
def test_weekly(probe: Probe, observed: Observed) -> None:
    assert observed(probe.unit(timer("weekly")).get("SubState")) in ("waiting", "running")


@check("self-check.ended", "both self-checks came to their end when they last ran", severity="warning")
def test_ended(probe: Probe, observed: Observed) -> None:
    results = {name: probe.unit(service(name)).get("Result") for name in ("daily", "weekly")}
    observed(", ".join(f"{name} {result}" for name, result in results.items()))
    assert set(results.values()) == {"success"}, "journalctl -u 'himari-self-check-*' on the host tells why"
