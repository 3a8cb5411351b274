"""What Prometheus may ask a host in the tunnel: Debian's node exporter and, beside a store of ours, its
exporter."""

from collections.abc import Iterator, Mapping

import msgspec

from himari.catalog import ports, postgresql, redis_buffer, redis_features
from himari.catalog.component import (
    CertificateEnd,
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
from himari.catalog.endpoints import exchange_host
from himari.catalog.hostpaths import CA_CERTIFICATE, CERTIFICATE_METRICS, CONFIG, METRICS, POSTGRESQL_SOCKET, UNITS
from himari.catalog.sandbox import EXPOSURE_MAX, sandbox
from himari.catalog.stores import stores
from himari.stack.model import Role
from himari.stack.network import LOOPBACK, tunnel_address

NODE, REDIS = "prometheus-node-exporter", "prometheus-redis-exporter"
POSTGRES = "prometheus-postgres-exporter"
USER = "himari-exporter"  # Debian runs all exporters as one user, who would read the other's password
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
    "textfile",
    "time",
    "uname",
    "vmstat",
)
# Folders that the sandbox shows otherwise than they are, and what is no disk.
UNSEEN_MOUNTS = "^/(dev|home|proc|root|run|sys|tmp|var/tmp)($|/)"
UNSEEN_FILE_SYSTEMS = "^(autofs|nsfs|squashfs|tmpfs)$"
WATCHED_UNITS = "(himari-.+|redis-server(@.+)?|wg-quick@.+|chrony|ssh)[.](service|timer)"


# Roles whose servers show a certificate of the stack's CA, beside the exchange, which has no exporter.
SERVERS = frozenset({"analytics", "broker", "features", "graph"})


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """A Redis of the host, as its exporter reaches it."""

    unit: str
    scheme: str
    port: int
    credential: str
    ca_file: str = ""  # that its certificate is checked by

    @property
    def place(self) -> str:
        """Where it is, after the scheme."""
        return f"{LOOPBACK}:{self.port}"


WATCHED = {
    Role.EDGE: Watched(unit=redis_buffer.UNIT, scheme="redis", port=ports.REDIS, credential=redis_buffer.EXPORTER),
    Role.FEATURES: Watched(
        unit=redis_features.UNIT,
        scheme="rediss",
        port=ports.REDIS_FEATURES,
        credential=redis_features.EXPORTER,
        ca_file=CA_CERTIFICATE,
    ),
}


def component(view: View) -> Component:
    """The exporters on the host's address in the tunnel."""
    node = _node(view)
    watched = next((WATCHED[role] for role in view.host.roles if role in WATCHED), None)
    part = _with_redis(node, view, watched) if watched else node
    return _with_postgresql(part, view) if Role.ANALYTICS in view.host.roles else part


def _node(view: View) -> Component:
    return Component(
        name="exporters",
        packages=(Package(name=NODE),),
        directories=(Directory(path=CONFIG), Directory(path=METRICS)),
        files=(
            File(path=drop_in(NODE), values={**_values(view), "command": _node_command(view)}),
            *_certificate_metrics(view),
        ),
        units=(Unit(name=f"{NODE}.service", exposure_max=EXPOSURE_MAX),),
        listens_on=(_listener("node-metrics", ports.NODE_METRICS, NODE),),
        memory_mb=MEMORY_MB,
    )


def _with_redis(node: Component, view: View, watched: Watched) -> Component:
    values = {
        **_values(view),
        "address": tunnel_address(view.stack, view.host_name),
        "port": ports.REDIS_METRICS,
        "redis": watched,
        "user": USER,
        "script": PASSWORD_SCRIPT,
    }
    return Component(
        name=node.name,
        packages=(*node.packages, Package(name=REDIS)),
        users=(User(name=USER),),
        directories=(*node.directories, Directory(path="/usr/local/lib/himari")),
        files=(
            *node.files,
            File(path=PASSWORD_SCRIPT, values={"redis": watched}, mode=0o755, check=("/bin/sh", "-n", "{}")),
            File(path=drop_in(REDIS), values=values),
        ),
        credentials=(Credential(name=watched.credential, secret=watched.credential),),
        units=(
            *node.units,
            Unit(
                name=f"{REDIS}.service",
                watches=(PASSWORD_SCRIPT, watched.credential, *((watched.ca_file,) if watched.ca_file else ())),
                exposure_max=EXPOSURE_MAX,
            ),
        ),
        listens_on=(*node.listens_on, _listener("redis-metrics", ports.REDIS_METRICS, REDIS)),
        memory_mb=node.memory_mb + MEMORY_MB,
    )


def _with_postgresql(part: Component, view: View) -> Component:
    """Its exporter comes over the Unix socket, as the user whom the server knows by the kernel's word: no password."""
    account, role = next(pair for pair in postgresql.PEERS.items() if pair[1] == "exporter")
    values = {
        **_values(view),
        "address": tunnel_address(view.stack, view.host_name),
        "port": ports.POSTGRESQL_METRICS,
        "server": postgresql.UNIT,
        "source": f"host={POSTGRESQL_SOCKET} user={role} dbname={postgresql.DATABASE} sslmode=disable",
        "user": account,
    }
    return msgspec.structs.replace(
        part,
        packages=(*part.packages, Package(name=POSTGRES)),
        users=(*part.users, User(name=account)),
        files=(*part.files, File(path=drop_in(POSTGRES), values=values)),
        units=(*part.units, Unit(name=f"{POSTGRES}.service", exposure_max=EXPOSURE_MAX)),
        listens_on=(*part.listens_on, _listener("postgresql-metrics", ports.POSTGRESQL_METRICS, POSTGRES)),
        memory_mb=part.memory_mb + MEMORY_MB,
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


def _certificate_metrics(view: View) -> Iterator[File]:
    """When the certificates of the host's servers end, and the CA's where something trusts it."""
    names = [f"{role}.pem" for role in view.host.roles if role in SERVERS]
    if any(stores(view)) or exchange_host(view):
        names.append("ca.pem")
    if names:
        yield File(path=CERTIFICATE_METRICS, values={"ends": {name: CertificateEnd(name) for name in names}})


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
            f"--collector.textfile.directory={METRICS}",
        )
    )
