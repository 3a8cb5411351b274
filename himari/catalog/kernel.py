"""Kernel settings, each with its reason in the file; no swap; no huge pages behind a service's back."""

from himari.catalog.component import Component, Directory, File, Package, Unit, View
from himari.catalog.hostpaths import UNITS

SYSCTL = "/etc/sysctl.d/90-himari.conf"
MODULES = "/etc/modules-load.d/himari.conf"
PAGES = "/etc/tmpfiles.d/himari-pages.conf"
TUNE = "/usr/local/lib/himari/tune"


def component(view: View) -> Component:
    """Settings that last, and a unit that sets at each boot what no file can."""
    return Component(
        name="kernel",
        packages=(Package(name="iproute2"), Package(name="procps"), Package(name="kmod")),
        directories=(Directory(path="/usr/local/lib/himari"),),
        files=(
            File(path=MODULES, apply=("systemctl", "restart", "systemd-modules-load.service")),
            File(path=SYSCTL, apply=("/usr/lib/systemd/systemd-sysctl", SYSCTL)),
            File(path=PAGES, apply=("systemd-tmpfiles", "--create", PAGES)),
            File(path=TUNE, mode=0o755, check=("/bin/sh", "-n", "{}")),
            File(path=f"{UNITS}/himari-tune.service"),
        ),
        units=(Unit(name="himari-tune.service", watches=(TUNE,), unless_container=True),),
        masked=("swap.target",),
    )
