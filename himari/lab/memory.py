"""A host with less memory than it wants: the kernel's own bound on the host's group, and its killer beyond it."""

import errno
from collections.abc import Iterable
from pathlib import Path

from himari.lab import container
from himari.lab.standing import Standing
from himari.stack.errors import CapacityError, MachineError, StackFileError

LIMITS = {"memory.limit_in_bytes": "-1", "memory.max": "max"}  # v1's file and v2's, and what lifts each
USED = {"memory.limit_in_bytes": "memory.usage_in_bytes", "memory.max": "memory.current"}
UNLIMITED = 1 << 62  # v1 tells "no bound" as the largest number of whole pages
LEAST_BYTES = 16_000_000  # systemd alone needs some 10 MB
PAGE = 4096


def limit(on: Standing, host: str, size: int) -> None:
    """Hold `host` to `size` bytes, its caches among them, until it is healed or powered off.

    Raises StackFileError for less than 16 MB, CapacityError when the host holds more that cannot be dropped,
    HostError when it is off."""
    on.require_powered(host)
    if size < LEAST_BYTES:
        raise StackFileError("no host lives in so little memory", f"{size}", f"at least {LEAST_BYTES} bytes")
    file = _file(on, host)
    try:
        file.write_text(str(size))
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        used = int((file.parent / USED[file.name]).read_text())
        hint = f"give it more than that, or stop something on {host} first"
        raise CapacityError("the host holds more memory", f"{host}: {used} bytes", f"{size} bytes", hint) from None
    if limited(on, host) != size - size % PAGE:
        raise MachineError("the kernel did not take the bound", str(file), f"{size}")


def lift(on: Standing, host: str) -> None:
    """Take the bound away."""
    file = _file(on, host)
    file.write_text(LIMITS[file.name])


def limited(on: Standing, host: str) -> int | None:
    """The bound in bytes, in whole pages; None where there is none."""
    return bound(_groups(on, host))


def bound(folders: Iterable[Path]) -> int | None:
    """The same of the groups in `folders`."""
    for file in files(folders):
        text = file.read_text().strip()
        if text != "max" and int(text) < UNLIMITED:
            return int(text)
    return None


def files(folders: Iterable[Path]) -> list[Path]:
    """The files that hold the bound of the groups in `folders`."""
    return [group / name for group in folders for name in LIMITS if (group / name).exists()]


def _file(on: Standing, host: str) -> Path:
    for file in files(_groups(on, host)):
        return file
    raise MachineError(
        what="no memory controller is mounted for groups",
        where="/proc/self/mountinfo",
        expected="v1's memory hierarchy, or cgroup2 with memory in cgroup.subtree_control",
        hint="a container needs its own cgroup namespace with the controller delegated",
    )


def _groups(on: Standing, host: str) -> list[Path]:
    return [path for path in container.groups_of(on.lab, host) if not path.name.endswith(".sup")]
