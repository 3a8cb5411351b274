"""Undoing a lab by names alone: what a killed run left is found as surely as what a finished one made."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from himari.lab import cgroup, container, image, network, rules
from himari.lab.cgroup import Hierarchies
from himari.lab.identity import Lab
from himari.lab.lock import Held

PROPAGATE = Path("/run/systemd/nspawn/propagate")
MOUNTINFO = Path("/proc/self/mountinfo")


def leftovers(lab: Lab, dropped: Mapping[str, int], under: Held) -> None:
    """Remove what a killed `up` left half made, and the hosts that the stack no longer has (name -> address byte)."""
    cgroup.kill(container.build_groups(lab))
    _remove_tree(image.build_folder(lab.id), under)
    _remove_tree(lab.image.with_suffix(".tmp"), under)
    rules.unload(lab, rules.touching(lab, dropped), under)
    for name, byte in dropped.items():
        host(lab, name, byte, under)
        _remove_tree(lab.host_folder(name), under)


def host(lab: Lab, name: str, byte: int, under: Held) -> None:
    """Power `name` off and take its mounts, namespace, cable and groups away; its files stay."""
    container.power_off(lab, name)
    _unmount(lab.host_folder(name), under)
    network.unplug(under, lab, lab.machine(name), byte)
    cgroup.remove(container.groups_of(lab, name))
    _remove_empty(PROPAGATE / lab.machine(name))


def everything(lab: Lab, under: Held) -> None:
    """Remove all traces of `lab` but the lock that the caller holds; repeatable.

    The record goes first: whoever finds hosts without one finds what a cut-off removal left."""
    lab.record.unlink(missing_ok=True)
    cgroup.kill(_groups(lab))
    for name in network.namespaces(lab.id):
        _kill_within(name, under)
    for link in sorted(network.links(lab.id)):  # before the namespaces, which take their cables away only later
        under.run(("ip", "link", "del", link))
    for name in network.namespaces(lab.id):
        under.run(("ip", "netns", "del", name))
    for table in tables(lab.id):
        under.run(("nft", "delete", "table", *table.split()))
    cgroup.remove(Hierarchies.here().folders(lab.id))
    for folder in PROPAGATE.glob(f"{lab.id}*"):
        _remove_empty(folder)
    for folder in (image.build_folder(lab.id), lab.folder):
        _remove_tree(folder, under)


def remains(lab: Lab) -> list[str]:
    """Each trace of `lab` on this machine, as a line."""
    return [
        *(f"process {pid} ({_name(pid)})" for pid in sorted(cgroup.pids(_groups(lab)))),
        *(f"mount {point}" for folder in (lab.folder, image.build_folder(lab.id)) for point in _mounts(folder)),
        *(f"disk {device}" for device in _disks(lab)),
        *(f"interface {name}" for name in sorted(network.links(lab.id))),
        *(f"namespace {name}" for name in sorted(network.namespaces(lab.id))),
        *(f"cgroup {folder}" for folder in _groups(lab)),
        *(f"table {table}" for table in tables(lab.id)),
        *(f"file {path}" for path in _files(lab)),
    ]


def tables(lab_id: str) -> tuple[str, ...]:
    """The nftables tables of the machine that bear `lab_id`, as "inet NAME"."""
    done = subprocess.run(("nft", "-j", "list", "tables"), check=True, capture_output=True)
    listed = msgspec.json.decode(done.stdout)["nftables"]
    ours = (entry["table"] for entry in listed if entry.get("table", {}).get("name", "").startswith(lab_id))
    return tuple(f"{table['family']} {table['name']}" for table in ours)


def _groups(lab: Lab) -> tuple[Path, ...]:
    return Hierarchies.here().folders(lab.id)


def _kill_within(namespace: str, under: Held) -> None:
    """End what somebody else started inside a namespace of the lab: it would keep the namespace alive."""
    for pid in under.run(("ip", "netns", "pids", namespace)).split():
        with suppress(ProcessLookupError):
            os.kill(int(pid), 9)


def _mounts(folder: Path) -> list[str]:
    """Where something is mounted at or below `folder`, the last one first."""
    points = (line.split()[4] for line in MOUNTINFO.read_text().splitlines())
    return [point for point in points if point == str(folder) or point.startswith(f"{folder}/")][::-1]


def _disks(lab: Lab) -> list[str]:
    """The loop devices that hold a file of the lab."""
    files = {path.parents[1].name: path.read_text() for path in Path("/sys/block").glob("loop*/loop/backing_file")}
    return sorted(device for device, file in files.items() if file.startswith(f"{lab.folder}/"))


def _unmount(folder: Path, under: Held) -> None:
    for point in _mounts(folder):
        under.run(("umount", point))


def _remove_tree(folder: Path, under: Held) -> None:
    """Remove `folder`, never reaching into something that is mounted there."""
    _unmount(folder, under)
    if folder.exists():
        shutil.rmtree(folder)


def _remove_empty(folder: Path) -> None:
    with suppress(FileNotFoundError):
        folder.rmdir()


def _files(lab: Lab) -> Iterator[Path]:
    own = (lab.folder, lab.lock, image.build_folder(lab.id), *PROPAGATE.glob(f"{lab.id}*"))
    return (path for path in own if path.exists())


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "ended"
