"""The self-checks: timers by which a host looks at itself each day and each week, with what `himari status` looks by.

Its modules are put on the host as they are: what is well is said in one place."""

import json
from collections.abc import Iterable
from typing import Any

import msgspec

from himari.catalog import collector, consumer, redis_buffer
from himari.catalog.component import Component, Directory, File, Unit, View
from himari.catalog.host import components
from himari.catalog.hostpaths import (
    COLLECTOR_SETTINGS,
    CONFIG,
    CONSUMER_SETTINGS,
    CREDENTIALS,
    CUTOVER,
    EXCHANGE_STATE,
    RUNTIME,
    RUNTIME_VENV,
    SELF_CHECKS,
    STATE,
    UNITS,
    VENVS,
)
from himari.catalog.runtime import NAME as RUNTIME_WHEEL
from himari.catalog.sandbox import EXPOSURE_MAX, rooted
from himari.stack.model import Role
from himari.stack.network import tunnel_addresses
from himari.stack.paths import PROJECT

NAME = "self_check"
SETTINGS = f"{CONFIG}/self-check.json"
CODE = f"{VENVS}/self-check"
MODULES = (
    "himari/runs/self_check.py",
    "himari/runs/status_probe.py",
    "himari/runs/status.py",
    "himari/runs/verdict.py",
    "himari/stack/cutover_note.py",
    "himari/stack/model.py",
)
EVERY_HOURS = {"daily": 24, "weekly": 7 * 24}
FIRST_WAIT_S = 120  # from the timer's start
SPREAD_S = 60  # what systemd may add to a wait to bundle timers, and once more at random
FIRST_LOOK_MOST_S = float(FIRST_WAIT_S + 2 * SPREAD_S)  # a host whose timer runs for longer has looked, or looks now
PATIENCE_S = 60.0  # nobody waits for this look, and a busy host is no sick one
OURS = ("himari-", "redis-", "wg-quick@")  # whose errors are of interest; ssh's are other people's knocking
HEALTH = {
    Role.EDGE: {"settings": COLLECTOR_SETTINGS, "credential": redis_buffer.PUSHER, "user": collector.USER},
    Role.BRAIN: {"settings": CONSUMER_SETTINGS, "credential": redis_buffer.READER, "user": consumer.USER},
}


def service(name: str) -> str:
    """The unit of the daily or the weekly look."""
    return f"himari-self-check-{name}.service"


def timer(name: str) -> str:
    """The timer that starts it."""
    return f"himari-self-check-{name}.timer"


def component(view: View) -> Component:
    """Two timers, what they start, and the code that looks."""
    # What this host is asked by others, without the self-checks themselves: a look is not judged by the one before.
    others = (one for _, one in components(view, without=frozenset({NAME})))
    asked = {
        "host": view.host_name,
        "wanted": question(view, others) | {"cutover": CUTOVER, "self_checks": "", "patience_s": PATIENCE_S},
        "retention": msgspec.to_builtins(view.stack.retention),
    }
    units = tuple(unit for name in EVERY_HOURS for unit in _units(name))
    return Component(
        name=NAME,
        directories=(
            Directory(path=CODE),
            Directory(path=f"{CODE}/himari"),
            Directory(path=f"{CODE}/himari/runs"),
            Directory(path=f"{CODE}/himari/stack"),
        ),
        files=(
            File(path=SETTINGS, values={"text": json.dumps(asked, indent=1)}, template="as-it-is.j2"),
            *(_module(path) for path in MODULES),
            *(file for name in EVERY_HOURS for file in _files(name)),
        ),
        units=units,
    )


def question(view: View, parts: Iterable[Component]) -> dict[str, Any]:
    """What a look at the view's host, which has `parts`, shall look at: see `himari.runs.status_probe`."""
    roles, units = view.host.roles, [unit for part in parts for unit in part.units]
    return {
        "units": [unit.name for unit in units],
        "timed": [unit.name for unit in units if not unit.active],
        "beyond_containers": [unit.name for unit in units if unit.unless_container],
        "ours": [unit.name for unit in units if unit.name.startswith(OURS)],
        "folder": EXCHANGE_STATE if Role.EXCHANGE in roles else STATE,
        "peers": tunnel_addresses(view.stack),
        "runtime": RUNTIME,
        "credstore": CREDENTIALS,
        "health": [HEALTH[role] for role in roles if role in HEALTH],
        "collector": COLLECTOR_SETTINGS if Role.EDGE in roles else "",
    }


def _module(path: str) -> File:
    return File(
        path=f"{CODE}/{path}", values={"text": (PROJECT / path).read_text().rstrip("\n")}, template="as-it-is.j2"
    )


def _files(name: str) -> tuple[File, File]:
    command = f"{RUNTIME_VENV}/bin/python -m himari.runs.self_check {name} {SETTINGS} {SELF_CHECKS}"
    values = {"name": name, "command": command, "code": CODE, "sandbox": rooted("CAP_NET_ADMIN", "CAP_NET_RAW")}
    return (
        File(path=f"{UNITS}/{service(name)}", values=values, template="self-check.service.j2"),
        File(
            path=f"{UNITS}/{timer(name)}",
            values={
                "name": name,
                "first_wait_s": FIRST_WAIT_S,
                "every_hours": EVERY_HOURS[name],
                "spread_s": SPREAD_S,
            },
            template="self-check.timer.j2",
        ),
    )


def _units(name: str) -> tuple[Unit, Unit]:
    watches = (SETTINGS, RUNTIME_WHEEL, *(f"{CODE}/{path}" for path in MODULES))
    oneshot = Unit(name=service(name), watches=watches, enabled=False, active=False, exposure_max=EXPOSURE_MAX)
    return oneshot, Unit(name=timer(name))
