"""What a lab needs of this machine, looked at before anything is made. It takes some 10 ms."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec

from himari.lab.identity import labs_root
from himari.stack.errors import MachineError
from himari.stack.paths import cache_root

CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_SYS_ADMIN": 21}  # bits of <linux/capability.h>
BINARIES = {
    "ip": "iproute2",
    "mkfs.ext4": "e2fsprogs",
    "mmdebstrap": "mmdebstrap",
    "nft": "nftables",
    "nsenter": "util-linux",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "systemd-nspawn": "systemd-container",
    "tar": "tar",
    "zstd": "zstd",
}
DISK_FLOOR_MB = 3000  # the image packed and unpacked, and some hundred MB a host
TUN = Path("/dev/net/tun")
LOOP = Path("/dev/loop-control")


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of a machine."""

    uid: int
    capabilities: int  # the effective set, as a bit mask
    missing: tuple[str, ...]  # binaries that are not on PATH
    nftables: str  # what nft complains about; empty: it works
    tun: bool
    loop: bool
    overlay: bool
    cgroups: bool
    free_mb: dict[str, int]  # folder -> free space of its disk


def look() -> Machine:
    """This machine, now."""
    return Machine(
        uid=os.geteuid(),
        capabilities=_effective(Path("/proc/self/status").read_text()),
        missing=tuple(name for name in BINARIES if shutil.which(name, path=_path()) is None),
        nftables=_nft_complaint(),
        tun=TUN.is_char_device(),
        loop=LOOP.is_char_device(),
        overlay="overlay" in Path("/proc/filesystems").read_text().split(),
        cgroups=" - cgroup" in Path("/proc/self/mountinfo").read_text(),
        free_mb={str(folder): _free_mb(folder) for folder in (labs_root(), cache_root())},
    )


def require(machine: Machine) -> None:
    """Raise the first MachineError about `machine`, in the order in which one would mend them."""
    for error in lacks(machine):
        raise error


def require_root() -> None:
    """Raise MachineError unless this process is root's."""
    if os.geteuid() != 0:
        raise _not_root(os.geteuid())


def lacks(machine: Machine) -> Iterator[MachineError]:
    """All that `machine` lacks for a lab, each as the error that says so; nothing that root alone would see."""
    if machine.uid != 0:
        yield _not_root(machine.uid)
    for name, bit in CAPABILITIES.items():
        if machine.uid == 0 and not machine.capabilities >> bit & 1:
            hint = f"start this container with --cap-add={name.removeprefix('CAP_')}, or leave the container"
            yield _error(f"{name} is missing", "/proc/self/status (CapEff)", f"{name} in the effective set", hint)
    if machine.missing:
        packages = " ".join(sorted({BINARIES[name] for name in machine.missing}))
        yield _error(
            f"not installed: {', '.join(machine.missing)}", "PATH", "all of them", f"apt-get install {packages}"
        )
    yield from _kernel(machine)
    for folder, free in machine.free_mb.items():
        if free < DISK_FLOOR_MB:
            hint = "free some space, or move it: HIMARI_LABS for the hosts, HIMARI_CACHE for the images"
            yield _error(f"only {free} MB are free", folder, f"{DISK_FLOOR_MB} MB", hint)


def _not_root(uid: int) -> MachineError:
    return _error("a lab is made and removed by root", f"uid {uid}", "uid 0", "run the command again with sudo -E")


def _kernel(machine: Machine) -> Iterator[MachineError]:
    if machine.uid == 0 and machine.nftables:
        hint = "modprobe nf_tables, or boot a kernel that has it"
        yield _error(f"nftables does not work: {machine.nftables}", "nft list tables", "a kernel with nf_tables", hint)
    if not machine.tun:
        hint = "modprobe tun, or pass the device into this container (--device /dev/net/tun)"
        yield _error("no tunnel device", str(TUN), "a character device, for wireguard-go", hint)
    if not machine.loop:
        hint = "modprobe loop, or start this container with --privileged, or with /dev/loop-control and some /dev/loopN"
        yield _error("no loop devices", str(LOOP), "a character device, for the hosts' disks", hint)
    if not machine.overlay:
        yield _error("the kernel has no overlay filesystem", "/proc/filesystems", "overlay", "modprobe overlay")
    if not machine.cgroups:
        hint = "mount -t cgroup2 none /sys/fs/cgroup"
        yield _error("no cgroup filesystem is mounted", "/proc/self/mountinfo", "cgroup2 at /sys/fs/cgroup", hint)


def _error(what: str, where: str, expected: str, hint: str) -> MachineError:
    return MachineError(what=what, where=where, expected=expected, hint=hint)


def _effective(status: str) -> int:
    return int(next(line for line in status.splitlines() if line.startswith("CapEff:")).split()[1], 16)


def _path() -> str:
    """Where a binary is looked for: a mere user's PATH often lacks the folders that root's has."""
    own = os.environ.get("PATH", os.defpath)
    return own if os.geteuid() == 0 else f"{own}:/usr/local/sbin:/usr/sbin:/sbin"


def _nft_complaint() -> str:
    if os.geteuid() != 0 or shutil.which("nft") is None:
        return ""
    done = subprocess.run(("nft", "list", "tables"), check=False, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stderr.strip() or f"it ended with {done.returncode}"


def standing(folder: Path) -> Path:
    """The nearest folder above or at `folder` that is there already, as far as this user may see."""
    return next(parent for parent in (folder, *folder.parents) if _seen(parent))


def _seen(path: Path) -> bool:
    try:
        return path.is_dir()
    except PermissionError:
        return False


def _free_mb(folder: Path) -> int:
    return shutil.disk_usage(standing(folder)).free // 1_000_000
