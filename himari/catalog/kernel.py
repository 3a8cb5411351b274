"""Kernel settings, each with its reason in the file; no swap; no huge pages behind a service's back."""

from himari.catalog.component import Component, Directory, File, Package, Unit, View
from himari.catalog.hostpaths import UNITS
from himari.catalog.sandbox import EXPOSURE_MAX, rooted

SYSCTL = "/etc/sysctl.d/90-himari.conf"
MODULES = "/etc/modules-load.d/himari.conf"
UNUSED = "/etc/modprobe.d/himari.conf"
PAGES = "/etc/tmpfiles.d/himari-pages.conf"
SHARED = "tmp.mount"
TUNING = "himari-tune.service"
TUNE = "/usr/local/lib/himari/tune"

UNUSED_MODULES = (
    *("dccp", "sctp", "rds", "tipc", "ax25", "netrom", "rose", "appletalk", "can", "n_hdlc"),
    *("cramfs", "freevxfs", "hfs", "hfsplus", "jffs2", "ksmbd"),
    *("firewire-core", "thunderbolt", "usb-storage", "uas", "bluetooth"),
)


def component(view: View) -> Component:
    """Settings that last, and a unit that sets at each boot what no file can."""
    return Component(
        name="kernel",
        packages=(Package(name="iproute2"), Package(name="procps"), Package(name="kmod")),
        directories=(Directory(path="/usr/local/lib/himari"),),
        files=(
            File(path=MODULES, apply=("systemctl", "restart", "systemd-modules-load.service")),
            File(path=UNUSED, values={"unused": UNUSED_MODULES}),
            File(path=SYSCTL, apply=("/usr/lib/systemd/systemd-sysctl", SYSCTL)),
            File(path=PAGES, apply=("systemd-tmpfiles", "--create", PAGES)),
            File(path=f"{UNITS}/{SHARED}", values={"size_mb": tmp_mb(view)}),
            File(path=TUNE, mode=0o755, check=("/bin/sh", "-n", "{}")),
            File(path=f"{UNITS}/{TUNING}", values={"sandbox": rooted("CAP_NET_ADMIN", "CAP_SYS_ADMIN")}),
        ),
        units=(
            Unit(name=SHARED, reload=True),
            Unit(name=TUNING, watches=(TUNE,), unless_container=True, exposure_max=EXPOSURE_MAX),
        ),
        masked=("swap.target",),
    )


def tmp_mb(view: View) -> int:
    """MiB that /tmp may take of memory: an eighth of it, 256 at least, as it holds what an upgrade unpacks."""
    return max(256, (view.host.memory_mb or 0) // 8)
