"""The buffer: Debian's Redis with our configuration, reached by name and password only, and never full by surprise.

The ACL's default user is off, so nobody can log in as it, and yet may write streams: Redis 7.0 replays its append-only
file in that user's name, and a user without the right would empty the buffer at each restart."""

from collections.abc import Mapping

from himari.catalog import ports
from himari.catalog.component import (
    Component,
    Credential,
    File,
    Listener,
    Package,
    Place,
    SecretHash,
    Unit,
    View,
)
from himari.catalog.cpus import layout
from himari.catalog.hostpaths import REDIS_ACL, REDIS_CONFIG
from himari.catalog.sandbox import EXPOSURE_MAX
from himari.stack.network import tunnel_address
from himari.stack.sizes import MIB, edge_sizes

UNIT = "redis-server.service"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/himari.conf"
PUSHER, READER, OPERATOR = "redis-pusher", "redis-reader", "redis-operator"
EXPORTER = "redis-exporter"


def component(view: View) -> Component:
    """Redis on loopback and in the tunnel."""
    return Component(
        name="redis_buffer",
        packages=(Package(name="redis-server"),),
        files=(
            File(path=REDIS_CONFIG, values=_config(view), mode=0o640, group="redis"),
            File(path=REDIS_ACL, values=_hashes(), mode=0o640, group="redis"),
            File(path=DROP_IN, values=_drop_in(view)),
        ),
        credentials=(Credential(name=OPERATOR, secret=OPERATOR),),  # for who asks Redis on the host itself: the checks
        units=(Unit(name=UNIT, watches=(REDIS_CONFIG, REDIS_ACL), exposure_max=EXPOSURE_MAX),),
        listens_on=tuple(
            Listener(name="redis", port=ports.REDIS, place=place, process="redis-server")
            for place in (Place.LOOPBACK, Place.WIREGUARD)
        ),
        memory_mb=maxmemory_bytes(view) // MIB,
        disk_gb=edge_sizes(view.stack, view.host).aof_bytes / 10**9,
    )


def maxmemory_bytes(view: View) -> int:
    """What Redis may hold; half of the host's memory, as a fork copies what changes while it writes."""
    return edge_sizes(view.stack, view.host).maxmemory_bytes


def _config(view: View) -> Mapping[str, object]:
    return {
        "address": tunnel_address(view.stack, view.host_name),
        "port": ports.REDIS,
        "maxmemory": maxmemory_bytes(view),
        "cpus": layout(view.host.cpus or 1),
        "acl_file": REDIS_ACL,
    }


def _hashes() -> Mapping[str, SecretHash]:
    users = {"pusher": PUSHER, "reader": READER, "operator": OPERATOR, "exporter": EXPORTER}
    return {user: SecretHash(secret) for user, secret in users.items()}


def _drop_in(view: View) -> Mapping[str, object]:
    return {
        "config": REDIS_CONFIG,
        "tunnel": view.stack.network.wireguard,
        "memory_max": maxmemory_bytes(view) * 3 // 2,
    }
