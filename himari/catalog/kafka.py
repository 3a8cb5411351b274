"""Apache Kafka as the stack's broker: one node that is its own controller. Who logs in with a password comes over TLS
through the tunnel; who declares topics, users and rights comes by a certificate, over loopback alone.

What it holds is `himari.catalog.broker`'s."""

import base64
import uuid
from collections.abc import Mapping

from himari.catalog import broker, ports
from himari.catalog.component import (
    Component,
    Credential,
    Directory,
    File,
    Listener,
    Package,
    Place,
    Tree,
    Unit,
    User,
    View,
)
from himari.catalog.hostpaths import (
    CA_CERTIFICATE,
    CONFIG,
    KAFKA,
    KAFKA_CONFIG,
    KAFKA_LOGGING,
    KAFKA_STATE,
    TLS,
    UNITS,
)
from himari.catalog.sandbox import EXPOSURE_MAX, sandbox
from himari.stack.model import Role
from himari.stack.network import LOOPBACK, tunnel_address
from himari.stack.sizes import BROKER_BESIDE_HEAP, MIB, broker_heap_bytes, broker_memory_bytes

UNIT = "himari-kafka.service"
USER = "himari-kafka"
LISTENER = "kafka"
KEYSTORE = f"{Role.BROKER}-keystore"
TREE = Tree(name="kafka", lock="kafka.maven", link=KAFKA)
SCRIPTS = "/usr/local/lib/himari"
FORMAT, READY = f"{SCRIPTS}/kafka-format", f"{SCRIPTS}/kafka-ready"
DATA = f"{KAFKA_STATE}/data"
READY_SECONDS = 120  # it reads its log again after a kill under load
SERIAL_BELOW = 1024 * MIB  # a small heap is collected by one thread faster than by many
SERVERS_NAME = str(Role.BROKER)  # in its own certificate


def component(view: View) -> Component:
    """The broker on loopback and in the tunnel."""
    return Component(
        name="kafka",
        packages=(Package(name="openjdk-17-jre-headless"),),
        users=(User(name=USER),),
        directories=tuple(Directory(path=path) for path in (CONFIG, f"{CONFIG}/kafka", TLS, SCRIPTS)),
        files=(
            File(path=KAFKA_CONFIG, values=_config(view)),
            File(path=KAFKA_LOGGING),
            File(path=FORMAT, values=_format(view), mode=0o755, check=("/bin/sh", "-n", "{}")),
            File(path=READY, values={"ca": CA_CERTIFICATE, "address": LOOPBACK, "port": ports.KAFKA_LOCAL}, mode=0o755),
            File(path=f"{UNITS}/{UNIT}", values=_unit(view)),
        ),
        trees=(TREE,),
        credentials=(Credential(name=KEYSTORE, secret=KEYSTORE),),
        secrets=tuple(user.secret for user in broker.users()),
        units=(
            Unit(
                name=UNIT,
                watches=(KAFKA_CONFIG, KAFKA_LOGGING, FORMAT, TREE.name, KEYSTORE),
                ready=(READY,),
                ready_seconds=READY_SECONDS,
                exposure_max=EXPOSURE_MAX,
            ),
        ),
        listens_on=tuple(_listeners()),
        memory_mb=(broker_heap_bytes(view.host) + BROKER_BESIDE_HEAP) // MIB,
    )


def _listeners() -> tuple[Listener, ...]:
    inside = {
        f"{LISTENER}-local": ports.KAFKA_LOCAL,
        f"{LISTENER}-admin": ports.KAFKA_ADMIN,
        f"{LISTENER}-controller": ports.KAFKA_CONTROLLER,
    }
    return (
        Listener(name=LISTENER, port=ports.KAFKA, place=Place.WIREGUARD, process="java"),
        *(Listener(name=name, port=port, place=Place.LOOPBACK, process="java") for name, port in inside.items()),
    )


def _config(view: View) -> Mapping[str, object]:
    return {
        "address": tunnel_address(view.stack, view.host_name),
        "loopback": LOOPBACK,
        "port": ports.KAFKA,
        "local": ports.KAFKA_LOCAL,
        "admin": ports.KAFKA_ADMIN,
        "controller": ports.KAFKA_CONTROLLER,
        "supers": (SERVERS_NAME, broker.OPERATOR),
        "keystore": f"/run/credentials/{UNIT}/{KEYSTORE}",
        "ca": CA_CERTIFICATE,
        "data": DATA,
        "threads": max(2, view.host.cpus or 0),
    }


def _format(view: View) -> Mapping[str, object]:
    return {"data": DATA, "jars": KAFKA, "config": KAFKA_CONFIG, "cluster": cluster_id(view.stack.name)}


def _unit(view: View) -> Mapping[str, object]:
    heap = broker_heap_bytes(view.host)
    return {
        "user": USER,
        "format": FORMAT,
        "heap": heap,
        "collector": "Serial" if heap < SERIAL_BELOW else "G1",
        "logging": KAFKA_LOGGING,
        "jars": KAFKA,
        "config": KAFKA_CONFIG,
        "credential": KEYSTORE,
        "memory_max": broker_memory_bytes(view.host),
        "sandbox": sandbox(("localhost", view.stack.network.wireguard), compiles=True),
    }


def cluster_id(stack_name: str) -> str:
    """The name of the cluster's storage, as Kafka writes it: the same for a stack whenever it is made."""
    digest = uuid.uuid5(uuid.NAMESPACE_DNS, f"{stack_name}.himari")
    return base64.urlsafe_b64encode(digest.bytes).decode().rstrip("=")
