"""What the kernel does, read from the kernel rather than from the files that ask for it."""

import json
from typing import cast

from himari.catalog.deadman import SERVICE as DEADMAN
from himari.catalog.kernel import UNUSED, UNUSED_MODULES
from himari.proof import readings
from himari.proof.checks import Case, Observed, check
from himari.proof.probe import Probe
from himari.proof.sysctls import Sysctl


@check("kernel.sysctl.{item}", "{says}", each="sysctls")
def test_sysctl(case: Case, probe: Probe, observed: Observed) -> None:
    sysctl = cast(Sysctl, case.item)
    value = observed(probe.sysctl(sysctl.name) or "not there")
    assert value in sysctl.allowed, f"expected {' or '.join(sysctl.allowed)}: `himari up` sets it"


@check("kernel.modules", "the modules of BBR and of its queue are there", replaces="day 1, step 1.2: BBR")
def test_modules(probe: Probe, observed: Observed) -> None:
    wanted = {"tcp_bbr", "sch_fq"}
    assert observed(probe.modules & wanted) == wanted


@check("kernel.unused-modules", "no protocol, file system or bus can be loaded that the host never uses")
def test_unused_modules_cannot_be_loaded(probe: Probe, observed: Observed) -> None:
    refused = probe.raw.commands["unused_modules"].out.count("install /bin/false")
    observed(f"{refused} of {len(UNUSED_MODULES)} are refused")
    assert refused == len(UNUSED_MODULES), f"{UNUSED} shall refuse all of them"


@check("kernel.unused-modules-out", "none of these is loaded")
def test_unused_modules_are_not_loaded(probe: Probe, observed: Observed) -> None:
    assert observed(probe.modules & {name.replace("-", "_") for name in UNUSED_MODULES}) == set()


@check("kernel.qdisc", "each network card queues with fq", replaces="day 1, step 1.2: default_qdisc=fq")
def test_qdisc(probe: Probe, observed: Observed) -> None:
    queues = [
        (queue["dev"], queue["kind"])
        for queue in json.loads(probe.raw.commands["qdiscs"].out or "[]")
        if queue["dev"] not in ("lo", "wg0") and queue["kind"] not in ("mq", "noqueue")
    ]
    observed([f"{device} {kind}" for device, kind in queues])
    assert queues, "no network card has a queue"
    assert {kind for _, kind in queues} == {"fq"}


@check("kernel.swap", "no swap is in use", replaces="day 1 validation: swap disabled; 4.3: swap disabled")
def test_no_swap(probe: Probe, observed: Observed) -> None:
    areas = probe.text("/proc/swaps").split()[5:]
    assert observed(areas[::5]) == [], "a swap area is on"


@check(
    "kernel.thp",
    "transparent huge pages only where a process asks",
    replaces="day 1 validation: THP disabled; step 1.4; 4.3: THP disabled",
)
def test_transparent_huge_pages(probe: Probe, observed: Observed) -> None:
    chosen = observed(probe.text("/sys/kernel/mm/transparent_hugepage/enabled"))
    assert "[madvise]" in chosen or "[never]" in chosen


@check(
    "kernel.cpus-shared",
    "on small hosts no CPU is taken from the scheduler",
    severity="warning",
    replaces="day 1, step 1.3 and validation: CPU 1 isolated; 4.3: CPU 1 isolated",
)
def test_cpus_are_shared(probe: Probe, observed: Observed) -> None:
    tokens = [token for token in probe.text("/proc/cmdline").split() if token.startswith(("isolcpus=", "nohz_full="))]
    assert observed(tokens) == []


@check(
    "kernel.size", "the host has the CPUs and the memory that the stack counts on", replaces="day 1, step 1.1: lscpu"
)
def test_size(case: Case, probe: Probe, observed: Observed) -> None:
    cpus = len(readings.cpus(probe.text("/sys/devices/system/cpu/online")))
    memory = int(probe.text("/proc/meminfo").split()[1]) // 1024
    observed(f"{cpus} CPUs, {memory} MiB")
    assert cpus >= (case.view.host.cpus or 1), f"the stack says {case.view.host.cpus} CPUs"
    # The kernel keeps some of it for itself before it counts.
    assert memory >= 0.9 * (case.view.host.memory_mb or 0), f"the stack says {case.view.host.memory_mb} MiB"


@check("kernel.failed-units", "no unit of the host has failed", replaces="8.1: service status")
def test_no_failed_units(probe: Probe, observed: Observed) -> None:
    # The dead-man fails while it alarms: that is its own check's matter.
    failed = observed([unit for unit in probe.failed_units if unit != DEADMAN])
    assert not failed, f"{', '.join(failed)} failed: `systemctl status {failed[0]}` tells why"


@check("kernel.up-to-date", "the running kernel is the installed one", severity="warning")
def test_no_reboot_pending(probe: Probe, observed: Observed) -> None:
    pending = probe.raw.texts["/var/run/reboot-required"]
    observed("no reboot pending" if pending is None else pending)
    assert pending is None, "a reboot is pending"
