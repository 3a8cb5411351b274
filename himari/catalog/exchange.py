"""The lab's exchange: it plays the venue, and keeps the ledger that the proof starts from."""

from collections.abc import Mapping

from himari.catalog import ports
from himari.catalog.component import (
    Artifact,
    Component,
    Credential,
    Directory,
    File,
    Listener,
    Package,
    Place,
    PublicFile,
    Unit,
    User,
    View,
)
from himari.catalog.hostpaths import (
    CONFIG,
    EXCHANGE,
    EXCHANGE_CERTIFICATE,
    EXCHANGE_SETTINGS,
    EXCHANGE_STATE,
    EXCHANGE_VENV,
    TLS,
    UNITS,
    VENVS,
)
from himari.catalog.sandbox import EXPOSURE_MAX, sandbox
from himari.stack.sizes import usable_disk

WHEEL = "himari-exchange"
UNIT = "himari-exchange.service"
USER = "himari-exchange"
KEY = "exchange-key"
SEED = 7
MEMORY_MB = 512


def component(view: View) -> Component:
    """The service on an exchange host."""
    return Component(
        name="exchange",
        packages=(Package(name="python3-venv"),),
        users=(User(name=USER),),
        directories=(Directory(path=CONFIG), Directory(path=TLS), Directory(path=VENVS)),
        files=(
            File(path=EXCHANGE_SETTINGS, values=_settings(view), mode=0o640, group=USER),
            File(path=EXCHANGE_CERTIFICATE, values={"certificate": PublicFile("exchange.pem")}),
            File(path=f"{UNITS}/{UNIT}", values=_unit()),
        ),
        artifacts=(Artifact(name=WHEEL, lock="exchange.txt", venv=EXCHANGE_VENV),),
        credentials=(Credential(name=KEY, secret=KEY),),
        units=(
            Unit(name=UNIT, watches=(EXCHANGE_SETTINGS, EXCHANGE_CERTIFICATE, WHEEL, KEY), exposure_max=EXPOSURE_MAX),
        ),
        listens_on=(
            Listener(name="venue", port=ports.VENUE, place=Place.PUBLIC, process=WHEEL),
            Listener(name="exchange-control", port=ports.EXCHANGE_CONTROL, place=Place.LOOPBACK, process=WHEEL),
        ),
        memory_mb=MEMORY_MB,
    )


def _settings(view: View) -> Mapping[str, object]:
    venues = view.stack.venues.values()
    return {
        "port": ports.VENUE,
        "control_port": ports.EXCHANGE_CONTROL,
        "certificate": EXCHANGE_CERTIFICATE,
        "ledger": EXCHANGE_STATE,
        "ledger_max_bytes": min(10**9, usable_disk(view.stack, view.host) // 4),
        "symbols": [symbol.replace("/", "") for venue in venues for symbol in venue.symbols],
        "frames_per_s": sum(venue.frames_per_s for venue in venues),
        "seed": SEED,
        "recording": view.feed.recording_path,
        "speed": view.feed.speed,
    }


def _unit() -> Mapping[str, object]:
    return {
        "command": f"{EXCHANGE} serve --settings {EXCHANGE_SETTINGS}",
        "user": USER,
        "credential": KEY,
        "memory_max_mb": MEMORY_MB * 2,
        "sandbox": sandbox(None),
    }
