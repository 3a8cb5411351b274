"""The host's firewall, in a table of our own: what follows from who talks to whom, and nothing else."""

from himari.catalog.component import Component, Directory, File, Guard, Package, Unit, View
from himari.catalog.firewall import rules
from himari.catalog.hostpaths import CONFIG, FIREWALL, UNITS, WIREGUARD_INTERFACE

UNIT = "himari-firewall.service"


def component(view: View) -> Component:
    """The table `inet himari`; Debian's own unit is left alone, as it flushes what others have set."""
    return Component(
        name="nftables",
        packages=(Package(name="nftables"),),
        directories=(Directory(path=CONFIG),),
        files=(
            File(
                path=FIREWALL,
                values={"rules": rules(view), "tunnel": WIREGUARD_INTERFACE},
                check=("/usr/sbin/nft", "-c", "-f", "{}"),
                guard=Guard.NFTABLES,
            ),
            File(path=f"{UNITS}/{UNIT}", values={"file": FIREWALL}),
        ),
        units=(Unit(name=UNIT, watches=(FIREWALL,), reload=True),),
    )
