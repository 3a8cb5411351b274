"""What this machine must have before a run begins: cheap looks, each with the command that mends what it finds."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from himari.stack.errors import MachineError
from himari.stack.paths import cache_root, state_root

MEMORY_FLOOR_MB = 2048  # three idle hosts, Redis, the simulator and the proof
DISK_FLOOR_GB = 6.0  # image, packages and wheels; three hosts and their data
CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_SYS_ADMIN": 21, "CAP_MKNOD": 27}  # bits of <linux/capability.h>
ON_EACH_MACHINE = {"ssh": "openssh-client", "ssh-keygen": "openssh-client"}
FOR_A_LAB = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "nft": "nftables",
    "zstd": "zstd",
}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One look at this machine; `mend` is the command that helps when it is not `ok`."""

    name: str
    ok: bool
    says: str
    mend: str = ""


def examine(lab: bool) -> tuple[Finding, ...]:
    """All findings about this machine: those that each stack needs and, with `lab`, those of a lab."""
    return (*_each_machine(), *(_for_a_lab() if lab else ()))


def require(findings: tuple[Finding, ...]) -> None:
    """Raise MachineError naming all that is missing."""
    missing = [finding for finding in findings if not finding.ok]
    if missing:
        raise MachineError(
            what="this machine lacks " + ", ".join(finding.name for finding in missing),
            where="; ".join(finding.says for finding in missing),
            expected="all of `himari doctor` green",
            hint="; ".join(dict.fromkeys(finding.mend for finding in missing if finding.mend)),
        )


def _each_machine() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(name="python", ok=sys.version_info >= (3, 11), says=version, mend="apt-get install python3.11")
    yield from (_binary(name, package) for name, package in ON_EACH_MACHINE.items())
    yield _disk("state", state_root())
    yield _disk("cache", cache_root())


def _for_a_lab() -> Iterator[Finding]:
    yield Finding(name="root", ok=os.geteuid() == 0, says=f"uid {os.geteuid()}", mend="run it as root (sudo -E)")
    yield _capabilities()
    yield _openable("tun", Path("/dev/net/tun"), "modprobe tun, or pass /dev/net/tun into this container")
    yield from (_binary(name, package) for name, package in FOR_A_LAB.items())
    yield _runs("nftables", ("nft", "list", "tables"), "a kernel with nf_tables (modprobe nf_tables)")
    yield _runs("network namespaces", ("ip", "netns", "list"), "a kernel with network namespaces")
    yield _listed("overlay", Path("/proc/filesystems"), "modprobe overlay")
    yield _memory()


def _binary(name: str, package: str) -> Finding:
    path = shutil.which(name)
    return Finding(name=name, ok=path is not None, says=path or "not on PATH", mend=f"apt-get install {package}")


def _disk(name: str, folder: Path) -> Finding:
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free_gb = shutil.disk_usage(there).free / 1e9
    says = f"{free_gb:.1f} GB free at {there}, {DISK_FLOOR_GB:.0f} GB are needed"
    mend = f"free some space at {there}, or set HIMARI_{name.upper()} to a folder on a larger disk"
    return Finding(name=f"disk for {name}", ok=free_gb >= DISK_FLOOR_GB, says=says, mend=mend)


def _capabilities() -> Finding:
    status = Path("/proc/self/status").read_text()
    effective = int(next(line for line in status.splitlines() if line.startswith("CapEff:")).split()[1], 16)
    missing = [name for name, bit in CAPABILITIES.items() if not effective >> bit & 1]
    says = f"missing {', '.join(missing)}" if missing else ", ".join(CAPABILITIES)
    mend = "run it as root outside a container, or start the container with " + " ".join(
        f"--cap-add={name.removeprefix('CAP_')}" for name in missing
    )
    return Finding(name="capabilities", ok=not missing, says=says, mend=mend if missing else "")


def _openable(name: str, path: Path, mend: str) -> Finding:
    return _tried(name, lambda: os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC)), str(path), mend)


def _runs(name: str, argv: tuple[str, ...], mend: str) -> Finding:
    def run() -> None:
        subprocess.run(argv, check=True, capture_output=True, timeout=10)

    return _tried(name, run, " ".join(argv), mend)


def _listed(name: str, path: Path, mend: str) -> Finding:
    listed = name in path.read_text().split()
    return Finding(name=name, ok=listed, says=f"{'in' if listed else 'not in'} {path}", mend=mend)


def _tried(name: str, attempt: Callable[[], None], says: str, mend: str) -> Finding:
    try:
        attempt()
    except (OSError, subprocess.SubprocessError) as error:
        detail = getattr(error, "stderr", None)
        said = detail.decode(errors="replace").strip() if isinstance(detail, bytes) else str(error)
        return Finding(name=name, ok=False, says=f"{says}: {said}", mend=mend)
    return Finding(name=name, ok=True, says=says)


def _memory() -> Finding:
    lines = Path("/proc/meminfo").read_text().splitlines()
    available_mb = int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1]) // 1024
    says = f"{available_mb} MB available, {MEMORY_FLOOR_MB} MB are needed"
    mend = "stop what uses the memory, or take a larger machine"
    return Finding(name="memory", ok=available_mb >= MEMORY_FLOOR_MB, says=says, mend=mend)
