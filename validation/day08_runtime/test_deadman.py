"""The dead-man: its timer ticks, and its last look ended well."""

from himari.catalog.deadman import SERVICE, TIMER
from himari.proof.checks import Observed, check
from himari.proof.probe import Probe


@check("deadman.timer", "the dead-man's timer waits for its next look", replaces="6.2: health-check in cron")
def test_timer(probe: Probe, observed: Observed) -> None:
    assert observed(probe.unit(TIMER).get("SubState")) in ("waiting", "running")


@check("deadman.result", "the dead-man's last look found nothing wrong", severity="warning")
def test_result(probe: Probe, observed: Observed) -> None:
    result = observed(probe.unit(SERVICE).get("Result"))
    assert result == "success", f"{result}: `journalctl -u {SERVICE}` on the brain tells what it saw"
