"""The server of sealed segments: what a brain that was away for longer than the stream holds fetches from the edge."""

from collections.abc import Mapping

from himari.catalog import collector, ports
from himari.catalog.component import Component, File, Listener, Place, Unit, User, View
from himari.catalog.cpus import layout
from himari.catalog.hostpaths import JOURNAL, RUNTIME, SEGMENTS_SETTINGS, UNITS
from himari.catalog.runtime import NAME as RUNTIME_WHEEL
from himari.catalog.sandbox import EXPOSURE_MAX, sandbox
from himari.stack.network import tunnel_address
from himari.stack.sizes import catch_up_bytes_per_s

UNIT = "himari-segments.service"
USER = "himari-segments"
MEMORY_MB = 96  # floor; a piece of a segment at a time, and the list


def component(view: View) -> Component:
    """The service on an edge, for the tunnel alone. It holds no secret: what the tunnel's peers read is public data."""
    return Component(
        name="segments",
        users=(User(name=USER),),
        files=(
            File(path=SEGMENTS_SETTINGS, values=_settings(view), mode=0o640, group=USER),
            File(path=f"{UNITS}/{UNIT}", values=_unit(view)),
        ),
        units=(Unit(name=UNIT, watches=(SEGMENTS_SETTINGS, RUNTIME_WHEEL), exposure_max=EXPOSURE_MAX),),
        listens_on=(
            Listener(name="segments", port=ports.SEGMENTS, place=Place.WIREGUARD, process="himari-runtime"),
            Listener(
                name="segments-metrics", port=ports.SEGMENTS_METRICS, place=Place.WIREGUARD, process="himari-runtime"
            ),
        ),
        memory_mb=MEMORY_MB,
    )


def _settings(view: View) -> Mapping[str, object]:
    return {
        "address": tunnel_address(view.stack, view.host_name),
        "port": ports.SEGMENTS,
        "metrics_port": ports.SEGMENTS_METRICS,
        "journal": JOURNAL,
        "bytes_per_s": catch_up_bytes_per_s(view.stack),
    }


def _unit(view: View) -> Mapping[str, object]:
    return {
        "command": f"{RUNTIME} segments --settings {SEGMENTS_SETTINGS}",
        "user": USER,
        "journal_group": collector.USER,
        "cpus": layout(view.host.cpus or 1).housekeeping,
        "memory_max_mb": MEMORY_MB * 2,
        "sandbox": sandbox(("localhost", view.stack.network.wireguard)),
    }
