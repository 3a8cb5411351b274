"""The network cards' interrupts: onto the CPUs for housekeeping, where they take no time from what carries the data."""

from himari.catalog.component import Component, Directory, File, Unit, View
from himari.catalog.cpus import layout
from himari.catalog.hostpaths import UNITS
from himari.catalog.sandbox import EXPOSURE_MAX, sandbox

UNIT = "himari-irq.service"
SCRIPT = "/usr/local/lib/himari/irq-affinity"
REFUSED = "/run/himari-irq/refused"  # by number, those that the kernel keeps where they are
OTHER_MOVER = "irqbalance.service"


def component(view: View) -> Component:
    """A unit that moves them at each boot; what else would move them is masked."""
    command = f"{SCRIPT} {layout(view.host.cpus or 1).housekeeping}"
    return Component(
        name="irq",
        directories=(Directory(path="/usr/local/lib/himari"),),
        files=(
            File(path=SCRIPT, values={"refused": REFUSED}, mode=0o755, check=("/bin/sh", "-n", "{}")),
            File(path=f"{UNITS}/{UNIT}", values={"command": command, "sandbox": sandbox(())}),
        ),
        units=(Unit(name=UNIT, watches=(SCRIPT,), exposure_max=EXPOSURE_MAX, unless_container=True),),
        masked=(OTHER_MOVER,),
    )
