"""Changes that could lock the operator out: the old state comes back by itself unless a fresh login confirms.

A guarded change is a folder named by its token. Whoever renames it first has decided: `TOKEN.undone` while the old
state is put back, `TOKEN.kept` once the change stands."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import time
from pathlib import Path
from shlex import join

from himari.apply.agent.command import StepError, attempt, run
from himari.apply.agent.files import replace
from himari.apply.agent.old_state import keep_file, keep_tables, keep_units
from himari.apply.agent.places import Places
from himari.apply.agent.units import show
from himari.apply.agent.wire import FileChange, UnitChange

_UNDONE, _KEPT = ".undone", ".kept"
_PREFIX, _BOOT = "himari-guard-", "-boot.service"
_AGAIN = "again"  # the argument of a restore that goes on with one that was cut off
# A power cut in the midst of a restore leaves the renamed folder: then that one is gone through again.
_AT_BOOT = """\
[Unit]
Description=Put back what changed before the reboot and was not confirmed
After=ssh.service himari-firewall.service wg-quick@wg0.service

[Service]
Type=oneshot
ExecStart=/bin/sh -c '[ ! -e {folder}/restore ] || exec sh {folder}/restore; \
  [ ! -e {undone}/restore ] || exec sh {undone}/restore {again}'

[Install]
WantedBy=multi-user.target
"""
_PATIENCE_SECONDS = 90.0  # of a restore that restarts sshd, the firewall and the tunnel
_POLL_SECONDS = 0.2


def arm(files: list[FileChange], contents: list[bytes], units: list[UnitChange], places: Places, seconds: int) -> str:
    """Keep the old state of `files` and `units`, start the timer that puts it back; the token that confirms."""
    token = secrets.token_hex(8)
    folder, undone = places.guards / token, places.guards / f"{token}{_UNDONE}"
    folder.mkdir(parents=True, mode=0o700)
    started, running = keep_units(units)
    lines = [f'mv {folder} {undone} 2>/dev/null || [ "$1" = {_AGAIN} ] || exit 0']
    lines += started  # what did not run before is stopped by the configuration that it was started with
    for number, change in enumerate(files):
        lines += keep_file(Path(change.path), folder / str(number), undone / str(number))
    lines += [*keep_tables(contents, folder, undone), "systemctl daemon-reload", *running]
    lines += [join(["rm", "-f", str(places.units / unit.name)]) for unit in units]
    lines += ["sync", _forget_boot(token, places), f"rm -rf {undone}"]
    replace(folder / "restore", "\n".join(("#!/bin/sh", *lines, "")).encode(), 0o700)
    run(["sync", *map(str, folder.iterdir()), str(folder), str(places.guards)])
    _arm_boot(token, places)
    accuracy = "--timer-property=AccuracySec=100ms"
    timer = ["systemd-run", "--quiet", "--collect", f"--unit={_PREFIX}{token}", f"--on-active={seconds}", accuracy]
    run([*timer, "/bin/sh", str(folder / "restore")])
    return token


def confirm(token: str, places: Places) -> None:
    """Keep the new state. Raises StepError when the old one has been put back already."""
    folder = places.guards / token
    try:
        folder.rename(folder.with_suffix(_KEPT))
    except FileNotFoundError:
        raise StepError(f"the guarded change {token} was not confirmed in time", ["the old state is back"]) from None
    run(["sync", str(places.guards)])  # what was told to be kept shall not be undone after a power cut
    attempt(["systemctl", "stop", f"{_PREFIX}{token}.timer"])
    _forget(token, places)


def unconfirmed(places: Places) -> list[str]:
    """The tokens of the changes that wait for a fresh login, or for the timer."""
    return sorted(folder.name for folder in places.guards.glob("*") if not folder.suffix)


def restore(token: str, places: Places) -> None:
    """Put the old state back now."""
    attempt(["/bin/sh", str(places.guards / token / "restore")])
    attempt(["systemctl", "stop", f"{_PREFIX}{token}.timer"])


def disarm_all(places: Places) -> list[str]:
    """Let every guarded change stand, with no timer and no boot unit left that would undo what comes next; the tokens.

    A restore that is under way is waited for. Raises StepError when it does not end."""
    disarmed = []
    for token in unconfirmed(places):
        with contextlib.suppress(StepError):  # its timer was faster
            confirm(token, places)
            disarmed.append(token)
    sweep(places)
    return disarmed


def sweep(places: Places) -> list[str]:
    """Clear away what cut-off runs left; the tokens of changes whose old state is whole again only by this.

    A restore that is under way is waited for. Raises StepError when it does not end."""
    undone = [folder.stem for folder in places.guards.glob(f"*{_UNDONE}")]
    put_back = [token for token in undone if _put_back(token, places)]
    for folder in places.guards.glob(f"*{_KEPT}"):
        _forget(folder.stem, places)
    for unit in places.system.glob(f"{_PREFIX}*{_BOOT}"):
        token = unit.name[len(_PREFIX) : -len(_BOOT)]
        if not list(places.guards.glob(f"{token}*")):
            _forget(token, places)
    return put_back


def _put_back(token: str, places: Places) -> bool:
    """See the restore of `token` to its end; whether it had not come to that by itself."""
    half = _boot(token, places).exists()
    _await_restore(token)
    script = places.guards / f"{token}{_UNDONE}" / "restore"
    if _boot(token, places).exists() and script.exists():
        attempt(["/bin/sh", str(script), _AGAIN])
    _forget(token, places)
    return half


def _await_restore(token: str) -> None:
    names = [f"{_PREFIX}{token}.service", f"{_PREFIX}{token}{_BOOT}"]
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while any(shown["ActiveState"] not in ("inactive", "failed") for shown in show(names).values()):
        if time.monotonic() > deadline:
            why = f"the old state of the guarded change {token} is not back after {_PATIENCE_SECONDS:.0f} s"
            raise StepError(why, [f"systemctl status {' '.join(names)}"])
        time.sleep(_POLL_SECONDS)


def _boot(token: str, places: Places) -> Path:
    return places.system / f"{_PREFIX}{token}{_BOOT}"


def _arm_boot(token: str, places: Places) -> None:
    folder = places.guards / token
    text = _AT_BOOT.format(folder=folder, undone=f"{folder}{_UNDONE}", again=_AGAIN)
    replace(_boot(token, places), text.encode(), 0o644)
    run(["systemctl", "enable", "--quiet", _boot(token, places).name])


def _forget_boot(token: str, places: Places) -> str:
    boot = _boot(token, places)
    return f"systemctl disable --quiet {boot.name}; rm -f {boot}"


def _forget(token: str, places: Places) -> None:
    """Remove all that is left of a change that has been decided and done."""
    attempt(["/bin/sh", "-c", _forget_boot(token, places)])
    for suffix in (_UNDONE, _KEPT):
        shutil.rmtree(places.guards / f"{token}{suffix}", ignore_errors=True)
