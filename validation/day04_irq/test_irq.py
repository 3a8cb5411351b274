"""The network cards' interrupts: nothing but our unit moves them, and they come where the data's threads are not."""

from himari.catalog.cpus import layout
from himari.catalog.irq import OTHER_MOVER, REFUSED
from himari.proof import readings
from himari.proof.checks import Case, Observed, check
from himari.proof.interrupts import Interrupt
from himari.proof.probe import Probe


def housekeeping(case: Case) -> set[int]:
    return readings.cpus(layout(case.view.host.cpus or 1).housekeeping)


def movable(probe: Probe) -> list[Interrupt]:
    """All but those that the kernel keeps where they are."""
    refused = probe.text(REFUSED).split()
    return [one for one in probe.interrupts if str(one.number) not in refused]


@check(
    "irq.alone",
    "nothing else moves the interrupts",
    replaces="day 4, step 4.1: mask irqbalance; 4.3: irqbalance disabled",
)
def test_no_other_mover(probe: Probe, observed: Observed) -> None:
    mover = probe.unit(OTHER_MOVER)
    states = observed([mover.get("LoadState", "unknown"), mover.get("ActiveState", "unknown")])
    assert states[0] in ("masked", "not-found"), f"{OTHER_MOVER} may start: `himari up` masks it"
    assert states[1] == "inactive", f"stop {OTHER_MOVER}"


@check(
    "irq.found",
    "the network card's interrupts are known",
    severity="warning",
    replaces="day 4, step 4.1: grep $NETIF /proc/interrupts",
)
def test_found(probe: Probe, observed: Observed) -> None:
    assert observed([one.number for one in probe.interrupts]), "no network card has interrupts of its own"


@check(
    "irq.told",
    "each queue's interrupt is sent to the CPUs for housekeeping",
    replaces="day 4, step 4.1: smp_affinity",
)
def test_told(case: Case, probe: Probe, observed: Observed) -> None:
    observed([f"{one.number} to {one.told}" for one in movable(probe)])
    astray = [str(one.number) for one in movable(probe) if not readings.cpus(one.told) <= housekeeping(case)]
    assert not astray, f"{', '.join(astray)} may go elsewhere: `systemctl restart himari-irq` sends them there"


@check(
    "irq.handled",
    "the interrupts that came were handled by the CPUs for housekeeping",
    replaces="day 4, step 4.1: Pinned IRQ to CPU 0",
)
def test_handled(case: Case, probe: Probe, observed: Observed) -> None:
    came = [one for one in movable(probe) if one.came]
    observed([f"{one.number} on {one.handled}, {one.came} times" for one in came])
    astray = [str(one.number) for one in came if not readings.cpus(one.handled) <= housekeeping(case)]
    assert not astray, f"{', '.join(astray)} came to other CPUs"


@check("irq.movable", "the kernel lets each queue's interrupt be moved", severity="warning")
def test_movable(case: Case, probe: Probe, observed: Observed) -> None:
    kept = [one for one in probe.interrupts if one not in movable(probe)]
    observed([f"{one.number} on {one.handled}" for one in kept])
    astray = [str(one.number) for one in kept if not readings.cpus(one.handled) <= housekeeping(case)]
    assert not astray, (
        f"{', '.join(astray)} stay where the kernel put them: fewer queues would leave the data's CPUs alone"
    )
