"""All drills. Those that share a window do so in this order: those that must cost nothing first."""

from himari.drills import disks, guarded, killed_up, memory, network, power, settings, units, venue
from himari.drills.drill import Drill, Gaps

SUITE = "suite"  # all that may share a window, in one
ALL = "all"  # each alone

DRILLS: tuple[Drill, ...] = (
    *venue.DRILLS,
    *units.DRILLS,
    *settings.DRILLS,
    *network.DRILLS,
    *power.DRILLS,
    *disks.DRILLS,
    *memory.DRILLS,
    *guarded.DRILLS,
    *killed_up.DRILLS,
)


def suite() -> tuple[Drill, ...]:
    """The drills that do not interact, for one window; what a gap costs comes last, so that none is charged wrongly."""
    return tuple(sorted((drill for drill in DRILLS if drill.together), key=lambda drill: drill.gaps is Gaps.TIGHT))
