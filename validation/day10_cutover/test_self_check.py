"""The host's own daily and weekly look: their timers tick, and the last one ended."""

from collections.abc import Mapping

from himari.catalog.self_check import EVERY_HOURS, FIRST_LOOK_MOST_S, service, timer
from himari.proof.checks import Observed, check
from himari.proof.probe import Probe

NOT_YET, NEVER = "not looked yet", "never looked"


@check("self-check.daily", "the daily self-check waits for its time", replaces="8.1: daily-operations.sh, by hand")
def test_daily(probe: Probe, observed: Observed) -> None:
    assert observed(probe.unit(timer("daily")).get("SubState")) in ("waiting", "running")


@check("self-check.weekly", "the weekly self-check waits for its time")
def test_weekly(probe: Probe, observed: Observed) -> None:
    assert observed(probe.unit(timer("weekly")).get("SubState")) in ("waiting", "running")


@check(
    "self-check.ended",
    "both self-checks came to their end when they last ran; a host that has just started has its first before it",
    severity="warning",
)
def test_ended(probe: Probe, observed: Observed) -> None:
    ends = {name: ended(probe, name) for name in EVERY_HOURS}
    observed(", ".join(f"{name} {end}" for name, end in ends.items()))
    assert set(ends.values()) <= {"success", NOT_YET}, "journalctl -u 'himari-self-check-*' on the host tells why"


def ended(probe: Probe, name: str) -> str:
    """How a self-check ended in systemd's words, which call one that never ran a success."""
    look, entered = probe.unit(service(name)), _seconds(probe.unit(timer(name)), "ActiveEnterTimestampMonotonic")
    if _seconds(look, "ExecMainStartTimestampMonotonic"):
        return look.get("Result", "unknown")
    up = float(probe.text("/proc/uptime").split()[0])
    return NOT_YET if entered and up - entered <= FIRST_LOOK_MOST_S else NEVER


def _seconds(unit: Mapping[str, str], field: str) -> float:
    return int(unit.get(field) or 0) / 1e6
