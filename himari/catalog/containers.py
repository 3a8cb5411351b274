"""What a container cannot show, check by check: each line is reviewed, and each reason was seen.

A check that matches is reported as `not_covered` on a lab's hosts; one that matches nothing has to pass there too."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

_MACHINES = "is the machine's own and read-only in a container"
_NO_CLOCK = "a container has no clock of its own to set, so chronyd does not run"
_TIMING = "a lab's timing is that of the machine below it, whatever else that does"
_NO_INTERRUPTS = "a container's network card is a veth, which has no interrupts"
_NO_CONTROLLERS = "needs a cgroup controller that a container is not given"

NOT_COVERED_IN_CONTAINERS: Mapping[str, str] = {
    "chrony.synchronised": _NO_CLOCK,
    "chrony.offset": _NO_CLOCK,
    "chrony.serves-nobody": _NO_CLOCK,
    "kernel.sysctl.vm.*": f"vm.* {_MACHINES}",
    "kernel.sysctl.kernel.*": f"kernel.* {_MACHINES}",
    "kernel.sysctl.fs.*": f"fs.* {_MACHINES}",
    "kernel.sysctl.net.core.rmem_max": f"net.core.rmem_max {_MACHINES}",
    "kernel.sysctl.net.core.wmem_max": f"net.core.wmem_max {_MACHINES}",
    "kernel.sysctl.net.core.default_qdisc": f"net.core.default_qdisc {_MACHINES}",
    "kernel.sysctl.net.ipv4.tcp_congestion_control": "bbr is a module that the machine may lack",
    "kernel.sysctl.dev.*": f"dev.* {_MACHINES}",
    "kernel.sysctl.net.core.bpf_jit_harden": f"net.core.bpf_jit_harden {_MACHINES}",
    "kernel.unused-modules-out": f"what is loaded {_MACHINES}",
    "kernel.modules": "modules cannot be loaded from a container",
    "kernel.qdisc": "a veth has no queue, and default_qdisc is the machine's own",
    "kernel.swap": f"swap {_MACHINES}",
    "kernel.thp": f"the setting {_MACHINES}",
    "kernel.cpus-shared": f"the command line {_MACHINES}",
    "kernel.up-to-date": f"the kernel {_MACHINES}",
    "kernel.size": "a container sees the machine's CPUs and memory",
    "redis.memory_max": f"MemoryMax= {_NO_CONTROLLERS}",
    "features.memory_max": f"MemoryMax= {_NO_CONTROLLERS}",
    "postgresql.memory_max": f"MemoryMax= {_NO_CONTROLLERS}",
    "graph.memory_max": f"MemoryMax= {_NO_CONTROLLERS}",
    "kafka.memory_max": f"MemoryMax= {_NO_CONTROLLERS}",
    "collector.memory_max": f"MemoryMax= {_NO_CONTROLLERS}",
    "consumer.memory_max": f"MemoryMax= {_NO_CONTROLLERS}",
    "consumer.ip_allow": f"IPAddressDeny= {_NO_CONTROLLERS}",
    "segments.memory_max": f"MemoryMax= {_NO_CONTROLLERS}",
    "segments.ip_allow": f"IPAddressDeny= {_NO_CONTROLLERS}",
    "exporters.*.memory_max": f"MemoryMax= {_NO_CONTROLLERS}",
    "irq.found": _NO_INTERRUPTS,
    "irq.told": _NO_INTERRUPTS,
    "irq.handled": _NO_INTERRUPTS,
    "irq.movable": _NO_INTERRUPTS,
    "collector.round-trip": _TIMING,
    "wireguard.round-trip": _TIMING,
    "redis.speed": _TIMING,
    "wireguard.module": "the machine's kernel may lack the module; the lab falls back to wireguard-go",
}


def not_covered(check_id: str) -> str | None:
    """Why a container cannot show `check_id`; None when it can."""
    return next((reason for glob, reason in NOT_COVERED_IN_CONTAINERS.items() if fnmatchcase(check_id, glob)), None)
