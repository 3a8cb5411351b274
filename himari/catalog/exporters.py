"""What Prometheus may ask a host in the tunnel: Debian's node exporter and, beside a buffer, its Redis exporter."""

from collections.abc import Mapping

from himari.catalog import ports
from himari.catalog.component import (
    Component,
    Credential,
    Directory,
    File,
    Listener,
    Package,
    Place,
    Unit,
    User,
    View,
)
from himari.catalog.cpus import layout
from himari.catalog.hostpaths import UNITS
from himari.catalog.redis_buffer import EXPORTER
from himari.catalog.sandbox import EXPOSURE_MAX, sandbox
from himari.stack.model import Role
from himari.stack.network import tunnel_address

NODE, REDIS = "prometheus-node-exporter", "prometheus-redis-exporter"
USER = "himari-exporter"  # Debian runs both exporters as one user, who would read the other's password
PASSWORD_SCRIPT = "/usr/local/lib/himari/redis-exporter-password"  # noqa: S105  a path
MEMORY_MB = 32  # floor of each; they hold one answer

# Of some forty those that say something about a server; the kernel's other tables cost time at each question.
COLLECTORS = (
    "conntrack",
    "cpu",
    "diskstats",
    "filefd",
    "filesystem",
    "interrupts",
    "loadavg",
    "meminfo",
    "netdev",
    "netstat",
    "pressure",
    "sockstat",
    "softnet",
    "stat",
    "systemd",
    "time",
    "uname",
    "vmstat",
)
# Folders that the sandbox shows otherwise than they are, and what is no disk.
UNSEEN_MOUNTS = "^/(dev|home|proc|root|run|sys|tmp|var/tmp)($|/)"
UNSEEN_FILE_SYSTEMS = "^(autofs|nsfs|squashfs|tmpfs)$"
WATCHED_UNITS = "(himari-.+|redis-server|wg-quick@.+|chrony|ssh)[.](service|timer)"


def component(view: View) -> Component:
    """The exporters on the host's address in the tunnel."""
    node = _node(view)
    return node if Role.EDGE not in view.host.roles else _with_redis(node, view)


def _node(view: View) -> Component:
    return Component(
        name="exporters",
        packages=(Package(name=NODE),),
        files=(File(path=drop_in(NODE), values={**_values(view), "command": _node_command(view)}),),
        units=(Unit(name=f"{NODE}.service", exposure_max=EXPOSURE_MAX),),
        listens_on=(_listener("node-metrics", ports.NODE_METRICS, NODE),),
        memory_mb=MEMORY_MB,
    )


def _with_redis(node: Component, view: View) -> Component:
    values = {
        **_values(view),
        "address": tunnel_address(view.stack, view.host_name),
        "port": ports.REDIS_METRICS,
        "redis_port": ports.REDIS,
        "user": USER,
        "credential": EXPORTER,
        "script": PASSWORD_SCRIPT,
    }
    script = {"redis_port": ports.REDIS, "credential": EXPORTER}
    return Component(
        name=node.name,
        packages=(*node.packages, Package(name=REDIS)),
        users=(User(name=USER),),
        directories=(Directory(path="/usr/local/lib/himari"),),
        files=(
            *node.files,
            File(path=PASSWORD_SCRIPT, values=script, mode=0o755, check=("/bin/sh", "-n", "{}")),
            File(path=drop_in(REDIS), values=values),
        ),
        credentials=(Credential(name=EXPORTER, secret=EXPORTER),),
        units=(
            *node.units,
            Unit(name=f"{REDIS}.service", watches=(PASSWORD_SCRIPT, EXPORTER), exposure_max=EXPOSURE_MAX),
        ),
        listens_on=(*node.listens_on, _listener("redis-metrics", ports.REDIS_METRICS, REDIS)),
        memory_mb=node.memory_mb + MEMORY_MB,
    )


def drop_in(name: str) -> str:
    """Where our settings of Debian's unit `name` are."""
    return f"{UNITS}/{name}.service.d/himari.conf"


def _listener(name: str, port: int, process: str) -> Listener:
    # The kernel keeps 15 letters of a program's name.
    return Listener(name=name, port=port, place=Place.WIREGUARD, process=process[:15])


def _values(view: View) -> Mapping[str, object]:
    return {
        "cpus": layout(view.host.cpus or 1).housekeeping,
        "memory_max_mb": MEMORY_MB * 4,
        "sandbox": sandbox(("localhost", view.stack.network.wireguard)),
    }


def _node_command(view: View) -> str:
    return " ".join(
        (
            f"/usr/bin/{NODE}",
            f"--web.listen-address={tunnel_address(view.stack, view.host_name)}:{ports.NODE_METRICS}",
            "--web.disable-exporter-metrics",
            "--collector.disable-defaults",
            *(f"--collector.{name}" for name in COLLECTORS),
            f"--collector.filesystem.mount-points-exclude={UNSEEN_MOUNTS}",
            f"--collector.filesystem.fs-types-exclude={UNSEEN_FILE_SYSTEMS}",
            f"--collector.systemd.unit-include={WATCHED_UNITS}",
        )
    )
