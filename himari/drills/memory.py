"""An edge whose memory is used up by something else."""

import time

from himari.catalog.collector import UNIT as COLLECTOR
from himari.catalog.deadman import SERVICE as DEADMAN
from himari.catalog.redis_buffer import UNIT as REDIS
from himari.drills.drill import Drill, Gaps, Quiet
from himari.drills.field import Field
from himari.lab import faults, lab

HOG = "himari-drill-hog"
EATS = "held = []\\nwhile True: held.append(bytearray(1 << 20))"
MB = 1_000_000


class Starved(Quiet):
    """The host is held to little more than it uses, and a stranger asks for all that is left, again and again."""

    def __init__(self, spare_mb: int) -> None:
        self._spare = spare_mb
        self._since = 0.0
        self._collector = ""
        self._before: dict[str, int] = {}

    def inject(self, field: Field) -> None:
        self._since, self._before = time.time(), self._restarts(field)
        self._collector = field.process(field.edge, COLLECTOR)
        on = field.lab
        used = next(one.memory_mb for one in lab.list_labs() if one.lab == on.lab.id and one.host == field.edge)
        faults.limit_memory(on, field.edge, (used + self._spare) * MB)
        # The kernel takes it before all others, as it does on a host whose units may set the collector lower.
        again = "-p OOMScoreAdjust=1000 -p Restart=always -p RestartSec=0.2 -p StartLimitIntervalSec=0"
        field.inside(field.edge, f"systemd-run --quiet --unit={HOG} {again} python3 -c \"$(printf '{EATS}')\"")

    def seen(self, field: Field) -> str:
        killed, alarmed = self._killed(field), self._alarmed(field)
        return f"{killed}; the dead-man calls: {alarmed}" if killed and alarmed else ""

    def _alarmed(self, field: Field) -> str:
        told = field.asked(field.brain, f"journalctl -q -o cat -u {DEADMAN} --since=@{self._since:.3f} -g edge-memory")
        return told.splitlines()[-1] if told else ""

    def _killed(self, field: Field) -> str:
        grown = {unit: count - self._before.get(unit, 0) for unit, count in self._restarts(field).items()}
        told = ", ".join(f"{unit} {count}" for unit, count in grown.items() if count > 0)
        fate = "was spared" if self.spared(field) else "was not spared"
        return f"killed for want of memory and started again: {told}; the collector {fate}" if told else ""

    def _restarts(self, field: Field) -> dict[str, int]:
        """How often systemd started what may be killed anew, as far as it says."""
        counts = {unit: field.shown(field.edge, unit, "NRestarts") for unit in (f"{HOG}.service", COLLECTOR, REDIS)}
        return {unit: int(count) for unit, count in counts.items() if count.isdecimal()}

    def spared(self, field: Field) -> bool:
        return self._collector != "" and field.process(field.edge, COLLECTOR) == self._collector

    def lift(self, field: Field) -> None:
        faults.heal(field.lab, (field.edge,))
        field.inside(field.edge, f"systemctl stop {HOG} 2>/dev/null || true; systemctl reset-failed {HOG} || true")

    def over(self, field: Field) -> bool:
        return field.process(field.edge, COLLECTOR) != ""

    def restored(self, field: Field) -> bool:
        return field.active(field.edge, REDIS) and field.collector().carries


DRILLS = (
    Drill(
        name="edge-memory",
        says="Something eats all memory of the edge for 30 seconds, again and again",
        deadline="all is caught up within 15 minutes; unless the kernel kills the collector, nothing is missed",
        within=900,
        sees="the kernel kills what eats, or more than that, and the dead-man calls",
        gaps=Gaps.TIGHT,
        takes=120,
        lasts=30,
        seen_within=90,
        fault=lambda _: Starved(spare_mb=64),
        not_covered="that the kernel spares the collector for its OOMScoreAdjust=, which a container may not lower",
    ),
)
