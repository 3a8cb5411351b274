"""A host that hangs: its processes stand still, its kernel goes on to take packets and to acknowledge them."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from himari.lab import cgroup, container
from himari.lab.standing import Standing
from himari.stack.errors import MachineError

DEADLINE_S = 10.0
POLL_S = 0.01
ORDERS = {"freezer.state": ("THAWED", "FROZEN"), "cgroup.freeze": ("0", "1")}  # v1's file and v2's


def hang(on: Standing, host: str) -> None:
    """Freeze all processes of `host` and return once they stand still. Raises HostError when it is off."""
    on.require_powered(host)
    order(_groups(on, host), freeze=True)
    _await(on, host, frozen=True)


def thaw(on: Standing, host: str) -> None:
    """Let a hung host go on and return once it does."""
    order(_groups(on, host), freeze=False)
    _await(on, host, frozen=False)


def hangs(on: Standing, host: str) -> bool:
    """Whether `host` is frozen, or nearly."""
    return cgroup.frozen(_groups(on, host))


def order(folders: Sequence[Path], freeze: bool) -> None:
    """Tell the freezer of the groups in `folders`. Raises MachineError where the machine has none.

    By one hierarchy only, v1's where there is one: a group that two hold would need both to let go."""
    there = [folder / name for name in ORDERS for folder in folders if (folder / name).exists()]
    if not there:
        raise MachineError("no freezer is mounted", "/proc/self/mountinfo", "cgroup2, or v1's freezer", "himari doctor")
    for file in there:
        if file.name == there[0].name:
            file.write_text(ORDERS[file.name][freeze])


def still(folders: Iterable[Path]) -> bool:
    """Whether every process in `folders` has stopped; one that waits for a device takes longer."""
    return any(
        said("freezer.state", folder) == "FROZEN" or "frozen 1" in said("cgroup.events", folder) for folder in folders
    )


def said(name: str, folder: Path) -> str:
    """What the file `name` of a group says; empty where its hierarchy has none."""
    file = folder / name
    return file.read_text().strip() if file.exists() else ""


def _await(on: Standing, host: str, frozen: bool) -> None:
    deadline = time.monotonic() + DEADLINE_S
    groups = _groups(on, host)
    while not still(groups) if frozen else cgroup.frozen(groups):
        if time.monotonic() > deadline:
            expected = "all of its processes to stand still" if frozen else "its processes to go on"
            raise MachineError("the freezer did not obey", f"{host} ({groups[0]})", expected, "himari lab heal")
        time.sleep(POLL_S)


def _groups(on: Standing, host: str) -> tuple[Path, ...]:
    """The host's own; its supervisor goes on, as a machine's power supply would."""
    return tuple(path for path in container.groups_of(on.lab, host) if not path.name.endswith(".sup"))
