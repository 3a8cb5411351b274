"""Faults of the way between edge and brain."""

import time

from himari.catalog.hostpaths import WIREGUARD_INTERFACE
from himari.catalog.wireguard import GONE, KEEPER
from himari.catalog.wireguard import UNIT as TUNNEL
from himari.drills.drill import Drill, Gaps, Quiet
from himari.drills.field import Field
from himari.lab import faults
from himari.stack.network import tunnel_address

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
        """By a packet and its answer: after a cut the tunnel makes a handshake only when it has to."""
        edge = tunnel_address(field.stack, field.edge)
        return field.asked(field.brain, f"ping -q -c 1 -W 2 {edge}") != ""


class InterfaceGone(Quiet):
    """The tunnel's interface goes, as its daemon in user space dies or, where the kernel carries it, is deleted.

    Its unit stays active; the host finds out and makes it again, nobody else does."""

    def __init__(self) -> None:
        self._since = 0.0

    def inject(self, field: Field) -> None:
        self._since = time.time()
        daemon = "daemon=$(pgrep -x wireguard-go)"
        field.inside(
            field.edge, f"if {daemon}; then kill -9 $daemon; else ip link delete dev {WIREGUARD_INTERFACE}; fi"
        )

    def seen(self, field: Field) -> str:
        since = f"--since=@{self._since:.3f}"
        return field.asked(field.edge, f"journalctl -q -o cat -u {KEEPER} {since} -g '{GONE}' -n 1 --no-pager")

    def restored(self, field: Field) -> bool:
        shaken = field.asked(field.edge, f"wg show {WIREGUARD_INTERFACE} latest-handshakes | cut -f2").split()
        return any(float(when) > self._since for when in shaken)

    def heal(self, field: Field) -> None:
        present = f"ip link show {WIREGUARD_INTERFACE} >/dev/null 2>&1"
        field.inside(field.edge, f"{present} || systemctl restart {TUNNEL}")


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
        says="WireGuard's daemon in user space dies (where the kernel carries the tunnel: its interface is deleted)",
        deadline="the host makes it again, and all that waited is on the brain, within 60 seconds; nothing is missed",
        within=60,
        sees="the host says that the interface is gone",
        gaps=Gaps.NONE,
        takes=80,
        fault=lambda _: InterfaceGone(),
    ),
)
