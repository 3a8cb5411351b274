"""The features' Redis: what is computed last, for who decides by it. An instance of its own, over TLS only.

Every key expires, so that what nobody renews is not taken for current; a full instance drops what expires first. The
ACL's default user is off and yet may write: Redis 7.0 replays its append-only file in that user's name."""

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
    PublicFile,
    SecretHash,
    Unit,
    View,
)
from himari.catalog.hostpaths import (
    CA_CERTIFICATE,
    CONFIG,
    FEATURES_ACL,
    FEATURES_CERTIFICATE,
    FEATURES_CONFIG,
    FEATURES_STATE,
    TLS,
)
from himari.catalog.sandbox import EXPOSURE_MAX
from himari.stack.network import tunnel_address
from himari.stack.sizes import MIB, features_bytes

UNIT = "redis-server@features.service"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/himari.conf"
LISTENER = "redis-features"
WRITER, READER, OPERATOR = "features-writer", "features-reader", "features-operator"
EXPORTER = "features-exporter"
KEY = "features-key"
PREFIX = "features:"  # of all its keys


def component(view: View) -> Component:
    """Redis on loopback and in the tunnel; Debian's instance without a name must not run beside it."""
    return Component(
        name="redis_features",
        packages=(Package(name="redis-server"),),
        directories=(Directory(path=CONFIG), Directory(path=TLS)),
        files=(
            File(path=FEATURES_CONFIG, values=_config(view), mode=0o640, group="redis"),
            File(path=FEATURES_ACL, values=_users(), mode=0o640, group="redis"),
            File(path=FEATURES_CERTIFICATE, values={"certificate": PublicFile("features.pem")}),
            File(path=DROP_IN, values=_drop_in(view)),
        ),
        credentials=(Credential(name=KEY, secret=KEY),),
        units=(
            Unit(
                name=UNIT,
                watches=(FEATURES_CONFIG, FEATURES_ACL, FEATURES_CERTIFICATE, KEY),
                exposure_max=EXPOSURE_MAX,
            ),
        ),
        masked=("redis-server.service",),
        listens_on=tuple(
            Listener(name=LISTENER, port=ports.REDIS_FEATURES, place=place, process="redis-server")
            for place in (Place.LOOPBACK, Place.WIREGUARD)
        ),
        memory_mb=features_bytes(view.host) // MIB,
    )


def _config(view: View) -> Mapping[str, object]:
    return {
        "address": tunnel_address(view.stack, view.host_name),
        "port": ports.REDIS_FEATURES,
        "maxmemory": features_bytes(view.host),
        "acl_file": FEATURES_ACL,
        "certificate": FEATURES_CERTIFICATE,
        "key": f"/run/credentials/{UNIT}/{KEY}",
        "ca": CA_CERTIFICATE,
        "state": FEATURES_STATE,
    }


def _users() -> Mapping[str, object]:
    users = {"writer": WRITER, "reader": READER, "operator": OPERATOR, "exporter": EXPORTER}
    return {"prefix": PREFIX} | {user: SecretHash(secret) for user, secret in users.items()}


def _drop_in(view: View) -> Mapping[str, object]:
    return {
        "tunnel": view.stack.network.wireguard,
        "memory_max": features_bytes(view.host) * 3 // 2,
        "credential": KEY,
        "state": FEATURES_STATE,
    }
