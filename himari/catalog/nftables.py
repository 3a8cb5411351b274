"""The host's firewall, in a table of our own: what follows from who talks to whom, and nothing else."""

from himari.catalog.component import Component, Directory, File, Guard, Package, Unit, View
from himari.catalog.firewall import rules
from himari.catalog.hostpaths import CONFIG, FIREWALL, FIREWALL_CLOSED, UNITS, WIREGUARD_INTERFACE
from himari.catalog.sandbox import EXPOSURE_MAX, rooted

UNIT = "himari-firewall.service"
CHECK = ("/usr/sbin/nft", "-c", "-f", "{}")


def component(view: View) -> Component:
    """The table `inet himari`; Debian's own unit is left alone, as it flushes what others have set.

    Should the rules not load at boot, the host stays closed but for the operator's ssh, and the unit is failed."""
    values = {"rules": rules(view), "tunnel": WIREGUARD_INTERFACE}
    return Component(
        name="nftables",
        packages=(Package(name="nftables"),),
        directories=(Directory(path=CONFIG),),
        files=(
            *(
                File(path=path, values=values, check=CHECK, guard=Guard.NFTABLES)
                for path in (FIREWALL, FIREWALL_CLOSED)
            ),
            File(
                path=f"{UNITS}/{UNIT}",
                values={"file": FIREWALL, "closed": FIREWALL_CLOSED, "sandbox": rooted("CAP_NET_ADMIN")},
            ),
        ),
        units=(Unit(name=UNIT, watches=(FIREWALL,), reload=True, exposure_max=EXPOSURE_MAX),),
    )
