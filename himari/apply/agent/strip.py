"""Taking what was put on this host away again, and looking what is left of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from himari.apply.agent import guard, units, wireguard
from himari.apply.agent.command import StepError, attempt, run
from himari.apply.agent.places import Places
from himari.apply.agent.wire import Strip, Stripped

_TABLE = ["table", "inet", "himari"]
_GUARDS = "himari-guard-*"


def strip(wanted: Strip, places: Places) -> Stripped:
    """Remove all that `wanted` names, and what the host itself knows to be ours. May be repeated.

    The caller has come by a fresh login: guarded changes that wait for one are kept as they are. Raises StepError when
    the host belongs to another stack."""
    _refuse_other(wanted.stack, places)
    guard.disarm_all(places)
    for unit in wanted.units:
        attempt(["systemctl", "disable", "--now", unit], timeout=120)
    for path in map(Path, wanted.files):
        _remove(path)
        if path.parent.suffix == ".d" and path.parent.parent == places.system:
            _remove(path.parent)
    keys = _remove_keys(wanted, places)
    attempt(["nft", "delete", *_TABLE])
    for folder in wanted.folders:
        shutil.rmtree(folder, ignore_errors=True)
    _forget_run(places)
    run(["systemctl", "daemon-reload"])
    attempt(["systemctl", "reset-failed", *wanted.units])
    return Stripped(list(_left(wanted, places)), keys)


def _refuse_other(stack: str, places: Places) -> None:
    holder = places.holder.read_text(errors="replace").strip() if places.holder.exists() else ""
    if holder not in ("", stack):
        way = f"let {stack} forget it: remove its entry from .himari/{stack}/hosts.json"
        raise StepError(f"it belongs to the stack {holder}, and stays as it is", [way])


def _remove_keys(wanted: Strip, places: Places) -> list[str]:
    there = [key for key in {*map(Path, wanted.keys), *wireguard.made(places)} if key.exists()]
    for key in there:
        named = str(key)[: -len(wireguard.NOTE)] if key.suffix == wireguard.NOTE else str(key)
        if not any(named in file.read_text(errors="replace") for file in key.parent.glob("*.conf")):
            _remove(key)
    return [str(key) for key in there if not key.exists() and key.suffix != wireguard.NOTE]


def _forget_run(places: Places) -> None:
    """Remove the agent's own from a folder that it may share: on a machine with labs these have their locks there."""
    for candidate in places.run.glob("check-*"):
        shutil.rmtree(candidate, ignore_errors=True)
    for path in (places.run / "lock", places.run):
        _remove(path)


def _running(pattern: str) -> list[str]:
    """The units of that pattern that are not at rest."""
    states = "--state=active,activating,deactivating,reloading"
    listed = attempt(["systemctl", "list-units", "--plain", "--no-legend", states, pattern])
    return [line.split()[0] for line in listed.stdout.splitlines() if line.strip()]


def _remove(path: Path) -> None:
    """Remove a file, or a folder that is empty; what cannot be removed is told at the end."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()


def _left(wanted: Strip, places: Places) -> Iterator[str]:
    for name, shown in units.show(wanted.units).items():
        if shown["ActiveState"] not in ("inactive", "failed"):
            yield f"unit {name} is still {shown['ActiveState']}"
    for name in _running(_GUARDS):
        yield f"unit {name} is still active"
    for unit in places.system.glob(f"{_GUARDS}-boot.service"):
        yield f"unit {unit.name} would still put the old state back at the next boot"
    for path in (*wanted.files, *wanted.folders):
        if Path(path).exists():
            yield f"{path} is still there"
    if attempt(["nft", "list", *_TABLE]).returncode == 0:
        yield "the firewall's table inet himari is still there"
