"""Faults of the way between edge and brain."""

import time

from himari.catalog.hostpaths import WIREGUARD_INTERFACE
from himari.drills.drill import Drill, Gaps, Quiet
from himari.drills.field import Field
from himari.lab import faults

TUNNEL = f"wg-quick@{WIREGUARD_INTERFACE}.service"
QUIET_SECONDS = 5.0


class Parted(Quiet):
    """Nothing passes between edge and brain."""

    def inject(self, field: Field) -> None:
        faults.cut(field.lab, field.edge, field.brain)

    def seen(self, field: Field) -> str:
        age = time.time() - field.arrived_ns() / 1e9
        return f"the newest frame on the brain is {age:.0f} s old" if age > QUIET_SECONDS else ""

    def lift(self, field: Field) -> None:
        faults.heal(field.lab, (field.brain,))

    def restored(self, field: Field) -> bool:
        return True


class DaemonKilled(Quiet):
    """WireGuard's daemon in user space dies: its interface is gone while its unit stays active."""

    def inject(self, field: Field) -> None:
        field.inside(field.edge, "kill -9 $(pgrep -x wireguard-go)")

    def seen(self, field: Field) -> str:
        gone = field.asked(field.edge, f"ip link show {WIREGUARD_INTERFACE} 2>/dev/null || echo gone") == "gone"
        return f"{WIREGUARD_INTERFACE} is gone, its unit is {self._unit(field)}" if gone else ""

    def lift(self, field: Field) -> None:
        present = f"ip link show {WIREGUARD_INTERFACE} >/dev/null 2>&1"
        field.inside(field.edge, f"{present} || systemctl restart {TUNNEL}")

    def restored(self, field: Field) -> bool:
        shaken = field.asked(field.edge, f"wg show {WIREGUARD_INTERFACE} latest-handshakes | cut -f2")
        return shaken not in {"", "0"}

    def _unit(self, field: Field) -> str:
        return field.shown(field.edge, TUNNEL, "ActiveState")


DRILLS = (
    Drill(
        name="tunnel-cut",
        says="Nothing passes between edge and brain for 30 seconds",
        deadline="all that waited is on the brain within 60 seconds, and nothing is missed",
        within=60,
        sees="the newest frame on the brain grows old",
        gaps=Gaps.NONE,
        takes=100,
        lasts=30,
        fault=lambda _: Parted(),
    ),
    Drill(
        name="tunnel-killed",
        says="WireGuard's daemon in user space dies, and its unit is restarted 10 seconds later",
        deadline="all that waited is on the brain within 60 seconds, and nothing is missed",
        within=60,
        sees="the interface is gone while its unit stays active",
        gaps=Gaps.NONE,
        takes=80,
        lasts=10,
        fault=lambda _: DaemonKilled(),
        not_covered="where the kernel has WireGuard there is no daemon that could die",
    ),
)
