"""Which CPUs a host's services run on, by their number."""

import msgspec


class CpuLayout(msgspec.Struct, frozen=True, kw_only=True):
    """CPU lists as the kernel writes them: "0", "0-1"."""

    housekeeping: str  # interrupts, WireGuard, Redis's children and background threads
    redis: str  # Redis's main thread
    collector: str


def layout(cpus: int) -> CpuLayout:
    """The lists for a host of `cpus`: Redis's main thread shares its CPU with none of its own children.

    A saved copy of the data set is written by a child that would take the main thread's time on one CPU."""
    if cpus >= 8:
        return CpuLayout(housekeeping="0-1", redis="2", collector="3-6")
    if cpus >= 4:
        return CpuLayout(housekeeping="0-1", redis="2", collector="3")
    if cpus >= 2:
        return CpuLayout(housekeeping="0", redis="1", collector="0-1")
    return CpuLayout(housekeeping="0", redis="0", collector="0")
