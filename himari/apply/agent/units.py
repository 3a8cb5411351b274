"""systemd units: what they are, and bringing them to what they shall be."""

from __future__ import annotations

import time

from himari.apply.agent.command import StepError, attempt, run
from himari.apply.agent.files import replace
from himari.apply.agent.places import Places
from himari.apply.agent.wire import Service, UnitChange

_ENABLED = ("enabled", "enabled-runtime", "static", "alias", "indirect", "generated")
_JOURNAL_LINES = 15


def look(names: list[str], places: Places) -> dict[str, Service]:
    """The units as they are."""
    shown = show(names)
    return {
        name: Service(
            enabled=shown[name]["UnitFileState"] in _ENABLED,
            active=_runs(shown[name]),
            masked=shown[name]["LoadState"] == "masked",
            digest=noted(name, places),
        )
        for name in names
    }


def show(names: list[str]) -> dict[str, dict[str, str]]:
    """LoadState, ActiveState, SubState, UnitFileState and, if it has one, Job of each of `names`, with one call."""
    if not names:
        return {}
    properties = "--property=LoadState,ActiveState,SubState,UnitFileState,Job"
    blocks = run(["systemctl", "show", properties, "--", *names]).strip().split("\n\n")
    rows = (dict(line.split("=", 1) for line in block.splitlines()) for block in blocks)
    return {name: {"UnitFileState": "", **row} for name, row in zip(names, rows, strict=False)}


def _runs(shown: dict[str, str]) -> bool:
    """Whether the unit is up, or on its way as after a boot, maybe in systemd's queue; not one that is tried again."""
    beginning = shown["ActiveState"] == "activating" and shown["SubState"] != "auto-restart"
    queued = shown.get("Job", "0") not in ("", "0")
    return beginning or queued or shown["ActiveState"] in ("active", "reloading")


def noted(name: str, places: Places) -> str:
    """The digest of what `name` runs if it is active; empty when its last start by us did not end well."""
    path = places.units / name
    return path.read_text(errors="replace").strip() if path.exists() else ""


def forget(name: str, places: Places) -> None:
    """Nothing is known of what `name` runs, until it has started well again."""
    (places.units / name).unlink(missing_ok=True)


def mask(name: str) -> None:
    """Make sure that `name` neither runs nor can be started; it need not exist."""
    run(["systemctl", "mask", "--quiet", name])
    attempt(["systemctl", "stop", name], timeout=90)


def put(change: UnitChange, places: Places) -> str:
    """Enable the unit, start it or make it take its configuration, wait until it serves; says what was done.

    Raises StepError with the unit's last journal lines."""
    done = []
    if change.enable:
        run(["systemctl", "enable", "--quiet", change.name])
        done.append("enabled")
    if change.start:
        done.append(_start(change))
        replace(places.units / change.name, change.digest.encode(), 0o600)
    return ", ".join(done)


def _start(change: UnitChange) -> str:
    active = show([change.name])[change.name]["ActiveState"] == "active"
    verb = "start" if not active else "reload-or-restart" if change.reload else "restart"
    # A unit that crashed too often refuses to start until its count is cleared.
    attempt(["systemctl", "reset-failed", change.name])
    started = attempt(["systemctl", verb, change.name], timeout=150)
    if started.returncode:
        raise StepError(f"systemctl {verb} {change.name}", journal(change.name) or started.stdout.splitlines())
    _await(change)
    return {"start": "started", "restart": "restarted"}.get(verb, "reloaded")


def _await(change: UnitChange) -> None:
    deadline = time.monotonic() + change.ready_seconds
    while change.ready:
        probe = attempt(change.ready, timeout=10)
        if probe.returncode == 0:
            break
        state = show([change.name])[change.name]["ActiveState"]
        if state == "failed" or time.monotonic() > deadline:
            why = f"{change.name} is {state} and does not serve: {' '.join(change.ready)}"
            raise StepError(why, journal(change.name) + probe.stdout.strip().splitlines()[-3:])
        time.sleep(0.1)


def journal(name: str) -> list[str]:
    """The unit's last journal lines."""
    argv = ["journalctl", "--unit", name, "--lines", str(_JOURNAL_LINES), "--no-pager", "--output", "cat"]
    return attempt(argv).stdout.strip().splitlines()
