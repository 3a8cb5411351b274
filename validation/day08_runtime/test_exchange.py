"""The lab's exchange: it speaks TLS to the edge and takes orders from its own host only."""

from himari.catalog.exchange import UNIT
from himari.catalog.ports import EXCHANGE_CONTROL, VENUE
from himari.proof.checks import Observed, check
from himari.proof.probe import Probe


@check("exchange.quiet", "the exchange logs no errors", severity="warning")
def test_quiet(probe: Probe, observed: Observed) -> None:
    lines = probe.errors(UNIT)
    observed(f"{len(lines)} in the last hour")
    assert not lines, f"the last of them: {lines[-1]}"


@check("exchange.orders", "orders to the exchange come from its own host only")
def test_control_is_private(probe: Probe, observed: Observed) -> None:
    bound = [one.address for one in probe.sockets if one.port == EXCHANGE_CONTROL]
    assert observed(bound) == ["127.0.0.1"]


@check("exchange.dies-whole", "stopping the exchange stops all of it")
def test_kill_mode(probe: Probe, observed: Observed) -> None:
    assert observed(probe.unit(UNIT).get("KillMode")) == "control-group"


@check("exchange.venue", "the exchange is there for the edge", replaces="5 ms to Binance: reachable at all")
def test_venue(probe: Probe, observed: Observed) -> None:
    assert observed([one.process for one in probe.sockets if one.port == VENUE])
