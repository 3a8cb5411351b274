"""Who may log in, what processes may open, and how much the system's journal may keep."""

from himari.catalog.component import Component, File, Package, User, View
from himari.catalog.root import ENTRY, sudo_rule

DEPLOY_USER = "himari"
DEPLOY_HOME = f"/home/{DEPLOY_USER}"


def component(view: View) -> Component:
    """The user that Himari logs in as, and limits for all."""
    return Component(
        name="accounts",
        packages=(Package(name="sudo"),),
        users=(User(name=DEPLOY_USER, home=DEPLOY_HOME, login=True, sudo=True),),
        files=(
            File(
                path="/etc/sudoers.d/himari",
                values={"rule": sudo_rule(DEPLOY_USER)},
                mode=0o440,
                check=("/usr/sbin/visudo", "-cqf", "{}"),
            ),
            File(path=ENTRY, mode=0o755),
            File(path="/etc/security/limits.d/90-himari.conf"),
            File(path="/etc/profile.d/himari.sh", check=("/bin/sh", "-n", "{}")),
            File(path="/etc/systemd/system.conf.d/himari.conf", apply=("systemctl", "daemon-reload")),
            File(
                path="/etc/systemd/journald.conf.d/himari.conf",
                values={"most_mb": journal_mb(view)},
                apply=("systemctl", "restart", "systemd-journald.service"),
            ),
        ),
    )


def journal_mb(view: View) -> int:
    """MiB that the system's journal may take: 1 % of the disk, 100 at least and 1000 at most."""
    return min(1000, max(100, (view.host.disk_gb or 0) * 10))
