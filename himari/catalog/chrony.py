"""Time: every gap, latency and heartbeat is measured with it."""

from himari.catalog.component import Component, File, Package, Unit, View

CONFIG = "/etc/chrony/conf.d/himari.conf"


def component(view: View) -> Component:
    """A client that serves nobody; Debian's own file names the servers."""
    return Component(
        name="chrony",
        packages=(Package(name="chrony"),),
        files=(File(path=CONFIG, check=("/usr/sbin/chronyd", "-p", "-f", "{}")),),
        units=(Unit(name="chrony.service", watches=(CONFIG,), unless_container=True),),
    )
