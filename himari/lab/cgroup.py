"""The groups that the processes of a lab live in: one a host in every hierarchy of the machine, made before the host.

A host without one of its own would share its neighbours', and its systemd could kill nothing of its own."""

import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from himari.stack.errors import MachineError

DEADLINE_S = 10.0
POLL_S = 0.01
# Real-time budgets of v1's cpu hierarchy, of its 950,000 us a second: twenty labs of fifteen hosts fit.
LAB_RT_US = 45_000
HOST_RT_US = 3_000


class Hierarchies(msgspec.Struct, frozen=True):
    """Where the machine's cgroup hierarchies are mounted: v1, v2 or both."""

    mounts: tuple[Path, ...]

    @classmethod
    def of(cls, mountinfo: str) -> "Hierarchies":
        """Those in `mountinfo` (/proc/self/mountinfo's text), each once."""
        found: dict[str, Path] = {}
        for line in mountinfo.splitlines():
            left, _, right = line.partition(" - ")
            if right.startswith("cgroup"):
                fields = left.split()
                found.setdefault(fields[2], Path(fields[4]))
        return cls(tuple(found.values()))

    @classmethod
    def here(cls) -> "Hierarchies":
        return cls.of(Path("/proc/self/mountinfo").read_text())

    def make(self, group: str) -> tuple[Path, ...]:
        """Make `group` ("LAB/HOST") in each hierarchy; return its folders."""
        return tuple(_make(mount, group) for mount in self.mounts)

    def folders(self, lab_id: str) -> tuple[Path, ...]:
        """All top folders that bear `lab_id`: our own, and those of the units that systemd started for us."""
        patterns = (lab_id, f"system.slice/{lab_id}-*")
        return tuple(path for mount in self.mounts for pattern in patterns for path in mount.glob(pattern))


def pids(folders: Iterable[Path]) -> set[int]:
    """The processes in `folders` and all groups beneath them."""
    found: set[int] = set()
    for folder in folders:
        for group in _beneath(folder):
            with suppress(OSError):  # the group went away while we looked
                found.update(int(pid) for pid in (group / "cgroup.procs").read_text().split())
    return found


def resident_mb(folders: Iterable[Path]) -> int:
    """The memory that the processes in `folders` hold, in MB; pages that they share count once for each."""
    pages = 0
    for pid in pids(folders):
        with suppress(OSError):  # it ended while we looked
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000


def frozen(folders: Iterable[Path]) -> bool:
    """Whether a freezer holds one of `folders`."""
    return any(
        _read(folder / "freezer.state") in {"FROZEN", "FREEZING"} or "frozen 1" in _read(folder / "cgroup.events")
        for folder in folders
    )


def kill(folders: Iterable[Path]) -> None:
    """End all processes in `folders` at once, as a power cut would. Raises MachineError when some will not die."""
    folders = tuple(folders)
    deadline = time.monotonic() + DEADLINE_S
    while left := pids(folders):
        _kill_once(folders, left)
        if time.monotonic() > deadline:
            raise MachineError(
                what=f"processes survived SIGKILL: {', '.join(map(str, sorted(left)))}",
                where=str(folders[0]),
                expected="none",
                hint="they wait for a device (state D in `ps`); run the command again once it answers",
            )
        time.sleep(POLL_S)


def remove(folders: Iterable[Path]) -> None:
    """Remove `folders` with all groups beneath, deepest first; they must be empty of processes."""
    deadline = time.monotonic() + DEADLINE_S
    for folder in folders:
        for group in reversed(list(_beneath(folder))):
            _rmdir(group, deadline)


def _make(mount: Path, group: str) -> Path:
    folder = mount
    for depth, name in enumerate(group.split("/")):
        folder = folder / name
        folder.mkdir(exist_ok=True)
        _inherit(folder, LAB_RT_US if depth == 0 else HOST_RT_US)
    return folder


def _inherit(folder: Path, rt_us: int) -> None:
    """What a new v1 group lacks until it is told: without CPUs it takes no process, without a budget no FIFO thread."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (folder / name).exists() and not _read(folder / name):
            (folder / name).write_text(_read(folder.parent / name))
    budget = folder / "cpu.rt_runtime_us"
    if budget.exists() and _read(budget) == "0":
        with suppress(OSError):  # the machine gave its budget away: FIFO threads fail there, all else works
            budget.write_text(str(rt_us))


def _kill_once(folders: tuple[Path, ...], left: set[int]) -> None:
    for group in (group for folder in folders for group in _beneath(folder)):
        for name, order in (("cgroup.kill", "1"), ("freezer.state", "THAWED")):  # a v1 freezer holds even the killed
            if (group / name).exists():
                with suppress(OSError):
                    (group / name).write_text(order)
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _rmdir(group: Path, deadline: float) -> None:
    while group.exists():
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_S)


def _beneath(folder: Path) -> Iterator[Path]:
    for path, _, _ in os.walk(folder):
        yield Path(path)


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
