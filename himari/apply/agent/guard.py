"""Changes that could lock the operator out: the old state comes back by itself unless a fresh login confirms."""

from __future__ import annotations

import re
import secrets
import shutil
from pathlib import Path
from shlex import join

from himari.apply.agent.command import StepError, attempt, run
from himari.apply.agent.files import replace
from himari.apply.agent.places import Places
from himari.apply.agent.units import show
from himari.apply.agent.wire import FileChange, UnitChange

_AT_BOOT = """\
[Unit]
Description=Put back what changed before the reboot and was not confirmed
After=ssh.service himari-firewall.service wg-quick@wg0.service

[Service]
Type=oneshot
ExecStart=/bin/sh {restore}

[Install]
WantedBy=multi-user.target
"""
_TABLE = re.compile(rb"^\s*table\s+(\w+)\s+(\S+)", re.MULTILINE)


def arm(files: list[FileChange], contents: list[bytes], units: list[UnitChange], places: Places, seconds: int) -> str:
    """Keep the old state of `files` and `units`, start the timer that puts it back; the token that confirms."""
    token = secrets.token_hex(8)
    folder = places.guards / token
    folder.mkdir(parents=True, mode=0o700)
    undone = folder.with_suffix(".undone")
    started, running = _keep_units(units)
    lines = [f"mv {folder} {undone} || exit 0"]  # whoever renames the folder first has decided
    lines += started  # what did not run before is stopped by the configuration that it was started with
    for number, change in enumerate(files):
        lines += _keep(Path(change.path), folder / str(number), undone / str(number))
    lines += [*_keep_tables(contents, folder, undone), "systemctl daemon-reload", *running]
    lines += [join(["rm", "-f", str(places.units / unit.name)]) for unit in units]
    lines += [_forget_boot(token, places), f"rm -rf {undone}"]
    replace(folder / "restore", "\n".join(("#!/bin/sh", *lines, "")).encode(), 0o700)
    run(["sync", *map(str, folder.iterdir()), str(folder)])
    _arm_boot(token, places)
    accuracy = "--timer-property=AccuracySec=100ms"
    timer = ["systemd-run", "--quiet", "--collect", f"--unit={_unit(token)}", f"--on-active={seconds}", accuracy]
    run([*timer, "/bin/sh", str(folder / "restore")])
    return token


def confirm(token: str, places: Places) -> None:
    """Keep the new state. Raises StepError when the old one has been put back already."""
    folder = places.guards / token
    kept = folder.with_suffix(".kept")
    try:
        folder.rename(kept)
    except FileNotFoundError:
        raise StepError(f"the guarded change {token} was not confirmed in time", ["the old state is back"]) from None
    attempt(["systemctl", "stop", f"{_unit(token)}.timer"])
    attempt(["/bin/sh", "-c", _forget_boot(token, places)])
    shutil.rmtree(kept)


def unconfirmed(places: Places) -> list[str]:
    """The tokens of the changes that wait for a fresh login, or for the timer."""
    return sorted(folder.name for folder in places.guards.glob("*") if not folder.suffix)


def restore(token: str, places: Places) -> None:
    """Put the old state back now."""
    attempt(["/bin/sh", str(places.guards / token / "restore")])
    attempt(["systemctl", "stop", f"{_unit(token)}.timer"])


def _unit(token: str) -> str:
    return f"himari-guard-{token}"


def _arm_boot(token: str, places: Places) -> None:
    unit = f"{_unit(token)}-boot.service"
    replace(places.system / unit, _AT_BOOT.format(restore=places.guards / token / "restore").encode(), 0o644)
    run(["systemctl", "enable", "--quiet", unit])


def _forget_boot(token: str, places: Places) -> str:
    unit = f"{_unit(token)}-boot.service"
    return f"systemctl disable --quiet {unit}; rm -f {places.system / unit}"


def _keep(path: Path, copy: Path, undone: Path) -> list[str]:
    if not path.exists():
        return [join(["rm", "-f", str(path)])]
    run(["cp", "--preserve=all", str(path), str(copy)])
    draft = f"{path}.himari-old"
    return [join(["cp", "--preserve=all", str(undone), draft]), join(["mv", draft, str(path)])]


def _keep_tables(contents: list[bytes], folder: Path, undone: Path) -> list[str]:
    """The firewall's tables that the new files name, as they are: in one transaction, nothing but these."""
    tables = sorted({(family.decode(), name.decode()) for text in contents for family, name in _TABLE.findall(text)})
    if not tables:
        return []
    lines = []
    for family, name in tables:
        held = attempt(["nft", "list", "table", family, name])
        # `table` first, as `delete` fails on one that does not exist.
        lines += [f"table {family} {name}", f"delete table {family} {name}", "" if held.returncode else held.stdout]
    replace(folder / "tables", "\n".join((*lines, "")).encode(), 0o600)
    return [f"nft -f {undone / 'tables'}"]


def _keep_units(units: list[UnitChange]) -> tuple[list[str], list[str]]:
    """How the units that do not run now are stopped, and how those that run get their old configuration."""
    started, running = [], []
    for name, shown in show([unit.name for unit in units]).items():
        if shown["ActiveState"] in ("active", "reloading"):
            running.append(join(["systemctl", "reload-or-restart", name]))
        else:
            started.append(join(["systemctl", "stop", name]))
        if shown["UnitFileState"] != "enabled":
            started.append(join(["systemctl", "disable", "--quiet", name]))
    return started, running
