"""The dead-man: a timer on the brain that calls when data stops, a disk fills or a gap grows."""

from himari.catalog.component import Component, Credential, File, Unit, View
from himari.catalog.consumer import USER, WEBHOOK
from himari.catalog.hostpaths import CONSUMER_SETTINGS, PARQUET, RUNTIME, UNITS
from himari.catalog.runtime import NAME as RUNTIME_WHEEL
from himari.catalog.sandbox import EXPOSURE_MAX, sandbox

SERVICE = "himari-deadman.service"
TIMER = "himari-deadman.timer"


def component(view: View) -> Component:
    """The timer and its service; the webhook's URL is a credential, as whoever has it can call it."""
    webhook = bool(view.stack.alerts.webhook)
    unit = {
        "command": f"{RUNTIME} deadman --settings {CONSUMER_SETTINGS}",
        "user": USER,
        "credential": WEBHOOK if webhook else "",
        "parquet": PARQUET,
        "sandbox": sandbox(None if webhook else ("localhost", view.stack.network.wireguard)),
    }
    return Component(
        name="deadman",
        files=(
            File(path=f"{UNITS}/{SERVICE}", values=unit),
            File(path=f"{UNITS}/{TIMER}", values={"every_s": every_seconds(view)}),
        ),
        credentials=(Credential(name=WEBHOOK, secret=WEBHOOK),) if webhook else (),
        units=(
            Unit(
                name=SERVICE,
                watches=(CONSUMER_SETTINGS, RUNTIME_WHEEL, *((WEBHOOK,) if webhook else ())),
                enabled=False,
                active=False,
                exposure_max=EXPOSURE_MAX,
            ),
            Unit(name=TIMER),
        ),
    )


def every_seconds(view: View) -> int:
    """How often the timer looks: at most half of the silence that alarms, so that it is late by no more than that."""
    return max(5, min(30, view.stack.alerts.silence_seconds // 2))
