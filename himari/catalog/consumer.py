"""The consumer: what the buffer holds, into Parquet on the brain."""

from collections.abc import Mapping

from himari.catalog import ports
from himari.catalog.component import Component, Credential, File, Flow, Listener, Place, Unit, User, View
from himari.catalog.hostpaths import CONSUMER_SETTINGS, DEADMAN_STATE, PARQUET, RUNTIME, UNITS
from himari.catalog.redis_buffer import READER
from himari.catalog.runtime import NAME as RUNTIME_WHEEL
from himari.catalog.sandbox import EXPOSURE_MAX, sandbox
from himari.stack.model import Role
from himari.stack.network import tunnel_address
from himari.stack.sizes import brain_sizes

UNIT = "himari-consumer.service"
USER = "himari-consumer"
WEBHOOK = "webhook"
# Who stores the data may watch its source.
EDGE_METRICS = ("collector-metrics", "segments-metrics", "node-metrics", "redis-metrics")
MEMORY_MB = 768  # floor: one Parquet file's rows and Arrow's pools


def component(view: View) -> Component:
    """The service on a brain; its settings file is the dead-man's too."""
    return Component(
        name="consumer",
        users=(User(name=USER),),
        files=(
            File(path=CONSUMER_SETTINGS, values=_settings(view), mode=0o640, group=USER),
            File(path=f"{UNITS}/{UNIT}", values=_unit(view)),
        ),
        credentials=(Credential(name=READER, secret=READER),),
        units=(Unit(name=UNIT, watches=(CONSUMER_SETTINGS, RUNTIME_WHEEL, READER), exposure_max=EXPOSURE_MAX),),
        listens_on=(
            Listener(
                name="consumer-metrics", port=ports.CONSUMER_METRICS, place=Place.WIREGUARD, process="himari-runtime"
            ),
        ),
        talks_to=tuple(Flow(role=Role.EDGE, listener=name) for name in ("redis", "segments", *EDGE_METRICS)),
        memory_mb=MEMORY_MB,
        disk_gb=brain_sizes(view.stack, view.host).parquet_bytes / 10**9,
    )


def _settings(view: View) -> Mapping[str, object]:
    name, venue = next(iter(view.stack.venues.items()))
    edge = view.stack.hosts_with(Role.EDGE)[0]
    return {
        "source": edge,
        "address": tunnel_address(view.stack, view.host_name),
        "metrics_port": ports.CONSUMER_METRICS,
        "redis_host": tunnel_address(view.stack, edge),
        "redis_port": ports.REDIS,
        "segments_port": ports.SEGMENTS,
        "node_metrics_port": ports.NODE_METRICS,
        "venue_name": name,
        "venue": venue,
        "credential": READER,
        "parquet": PARQUET,
        "flush_seconds": view.stack.retention.parquet_flush_seconds,
        "min_free_bytes": brain_sizes(view.stack, view.host).min_free_bytes,
        "alerts": view.stack.alerts,
        "webhook_credential": WEBHOOK if view.stack.alerts.webhook else "",
        "deadman_state": DEADMAN_STATE,
    }


def _unit(view: View) -> Mapping[str, object]:
    return {
        "command": f"{RUNTIME} consumer --settings {CONSUMER_SETTINGS}",
        "user": USER,
        "credential": READER,
        "memory_max_mb": MEMORY_MB * 2,
        "sandbox": sandbox(("localhost", view.stack.network.wireguard)),
    }
