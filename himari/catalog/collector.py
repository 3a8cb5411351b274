"""The collector: the venue's frames into the journal, and from there into the buffer."""

from collections.abc import Mapping

from himari.catalog import ports
from himari.catalog.component import (
    Component,
    Credential,
    File,
    Flow,
    Listener,
    Place,
    PublicFile,
    Unit,
    User,
    View,
)
from himari.catalog.cpus import layout
from himari.catalog.endpoints import endpoint, exchange_host
from himari.catalog.hostpaths import CA_CERTIFICATE, COLLECTOR_SETTINGS, JOURNAL, RUNTIME, UNITS
from himari.catalog.redis_buffer import PUSHER
from himari.catalog.runtime import NAME as RUNTIME_WHEEL
from himari.catalog.sandbox import EXPOSURE_MAX, sandbox
from himari.stack.model import Role
from himari.stack.network import tunnel_address
from himari.stack.sizes import edge_sizes, linger_ms

UNIT = "himari-collector.service"
USER = "himari-collector"
VENUE_CA = "venue-ca.pem"  # the stack file's ca_file
MEMORY_MB = 384  # floor; the chunks in flight and the set of seen ids stay well below


def component(view: View) -> Component:
    """The service on an edge."""
    simulated = bool(exchange_host(view))
    trusted = _trusted(view)
    authority = (File(path=CA_CERTIFICATE, values={"ca": PublicFile(trusted)}),) if trusted else ()
    watched = (CA_CERTIFICATE,) if trusted else ()
    return Component(
        name="collector",
        users=(User(name=USER),),
        files=(
            File(path=COLLECTOR_SETTINGS, values=_settings(view), mode=0o640, group=USER),
            File(path=f"{UNITS}/{UNIT}", values=_unit(view)),
            *authority,
        ),
        credentials=(Credential(name=PUSHER, secret=PUSHER),),
        units=(
            Unit(name=UNIT, watches=(COLLECTOR_SETTINGS, RUNTIME_WHEEL, PUSHER, *watched), exposure_max=EXPOSURE_MAX),
        ),
        listens_on=(
            Listener(
                name="collector-metrics", port=ports.COLLECTOR_METRICS, place=Place.WIREGUARD, process="himari-runtime"
            ),
        ),
        talks_to=(Flow(role=Role.EXCHANGE, listener="venue"),) if simulated else (),
        memory_mb=MEMORY_MB,
        disk_gb=edge_sizes(view.stack, view.host).journal_bytes / 10**9,
    )


def _trusted(view: View) -> str:
    """The public file with the authority that vouches for the venue; empty: the host's own authorities do."""
    if exchange_host(view):
        return "ca.pem"
    return VENUE_CA if next(iter(view.stack.venues.values())).ca_file else ""


def _settings(view: View) -> Mapping[str, object]:
    name, venue = next(iter(view.stack.venues.items()))
    return {
        "source": view.host_name,
        "address": tunnel_address(view.stack, view.host_name),
        "metrics_port": ports.COLLECTOR_METRICS,
        "redis_port": ports.REDIS,
        "venue_name": name,
        "venue": venue,
        "endpoint": endpoint(view, name),
        "ca_file": CA_CERTIFICATE if _trusted(view) else "",
        "journal": JOURNAL,
        "sizes": edge_sizes(view.stack, view.host),
        "linger_ms": linger_ms(view.stack),
        "segment_seconds": view.stack.retention.segment_seconds,
        "credential": PUSHER,
    }


def _unit(view: View) -> Mapping[str, object]:
    return {
        "command": f"{RUNTIME} collector --settings {COLLECTOR_SETTINGS}",
        "user": USER,
        "credential": PUSHER,
        "cpus": layout(view.host.cpus or 1).collector,
        "memory_max_mb": MEMORY_MB * 2,
        "sandbox": sandbox(None),
    }
