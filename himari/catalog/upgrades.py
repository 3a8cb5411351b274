"""Security updates by themselves; no reboot, and no restart of what carries the data."""

from himari.catalog.component import Component, File, Package, Unit, View


def component(view: View) -> Component:
    """unattended-upgrades and needrestart, both told what is not theirs to restart."""
    return Component(
        name="upgrades",
        packages=(Package(name="unattended-upgrades"), Package(name="needrestart")),
        files=(
            File(path="/etc/apt/apt.conf.d/52himari-upgrades", check=("apt-config", "--config-file={}", "dump")),
            File(path="/etc/needrestart/conf.d/himari.conf", check=("perl", "-c", "{}")),
        ),
        units=(Unit(name="apt-daily.timer"), Unit(name="apt-daily-upgrade.timer")),
    )
