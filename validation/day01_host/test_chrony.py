"""The clock: gaps, heartbeats and latencies are measured with it."""

from himari.proof.checks import Observed, check, found
from himari.proof.probe import Probe

MOST_OFF_SECONDS = 0.01
STRATUM_LOST = 16


@check("chrony.synchronised", "the clock follows a time server")
def test_synchronised(probe: Probe, observed: Observed) -> None:
    tracking = found(probe.tracking, "chronyd does not answer")
    observed(f"{tracking.source}, stratum {tracking.stratum}, {tracking.leap}")
    assert 0 < tracking.stratum < STRATUM_LOST
    assert tracking.leap != "Not synchronised"


@check("chrony.offset", "the clock is at most 10 ms off", severity="warning")
def test_offset(probe: Probe, observed: Observed) -> None:
    tracking = found(probe.tracking, "chronyd does not answer")
    observed(f"{tracking.offset * 1000:+.3f} ms")
    assert abs(tracking.offset) <= MOST_OFF_SECONDS, f"{tracking.offset:+.6f} s off"


@check("chrony.serves-nobody", "the clock's service answers nobody else")
def test_serves_nobody(probe: Probe, observed: Observed) -> None:
    served = [one for one in probe.sockets if one.protocol == "udp" and one.port == 123]
    assert observed([f"{one.address}:{one.port}" for one in served]) == []
