"""What this machine must have before a run begins: cheap looks, each with the command that mends what it finds."""

import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from himari.apply import maven, trees
from himari.catalog import hostpaths
from himari.catalog.component import Component
from himari.lab import preflight
from himari.ssh.connection import LOCAL
from himari.stack.errors import MachineError
from himari.stack.model import Stack
from himari.stack.paths import PROJECT, cache_root, secrets_root, state_root
from himari.vault.sops import ENDING, SopsFile
from himari.vault.tools import MENDS

MEMORY_FLOOR_MB = 2048  # three idle hosts, Redis, the simulator and the proof
DISK_FLOOR_MB = 1000  # a stack's evidence and the wheelhouse
BINARIES = {"git": "git", "ssh": "openssh-client", "ssh-keygen": "openssh-client"}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One look at this machine; `mend` is what helps when it is not `ok`."""

    name: str
    ok: bool
    says: str
    mend: str = ""


def examine(lab: bool) -> tuple[Finding, ...]:
    """All findings about this machine: those that each stack needs, those of stacks that keep their secrets encrypted
    and, with `lab`, those of a lab."""
    sealed = any(secrets_root().glob(f"*{ENDING}"))
    return (*_each_machine(), _maven(), *_for_secrets(needed=sealed), *(_for_a_lab() if lab else ()))


def check_machine(stack: Stack) -> None:
    """Raise MachineError naming the first thing that this machine lacks, or has in the wrong place, for `stack`."""
    sealed = SopsFile.of(stack.name).exists
    for finding in (*_each_machine(), *(_for_secrets(needed=True) if sealed else ())):
        if not finding.ok:
            raise MachineError(finding.name, finding.says, "all of `himari doctor` well", finding.mend)
    if stack.is_lab:
        preflight.require(preflight.look())
    for name, host in stack.hosts.items():
        if host.address == LOCAL:
            _stand_apart(name)


def check_fetching(components: Iterable[Component]) -> None:
    """Raise MachineError when a tree must be fetched by Maven for `components` and there is none on this machine."""
    lacking = [tree for part in components for tree in part.trees if not trees.making(tree).folder.exists()]
    finding = _maven()
    if lacking and not finding.ok:
        what = f"{finding.name} fetches {', '.join(tree.lock for tree in lacking)}"
        raise MachineError(what, finding.says, "all of `himari doctor` well", finding.mend)


def _stand_apart(host: str) -> None:
    """What Himari replaces on a host, and removes with it, must hold nothing of the operator's."""
    mends = {PROJECT: "move the checkout", state_root(): "set HIMARI_STATE", cache_root(): "set HIMARI_CACHE"}
    for folder, mend in mends.items():
        for taken in hostpaths.OURS:
            if folder.resolve().is_relative_to(taken):
                hint = f"{mend} to another folder"
                raise MachineError(
                    f"{taken} belongs to the {host} on this machine", str(folder), "a folder apart", hint
                )


def _each_machine() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(name="Python 3.11", ok=sys.version_info >= (3, 11), says=version, mend="apt-get install python3")
    yield from (_binary(name, package) for name, package in BINARIES.items())
    yield _disk(state_root())
    yield _memory(Path("/proc/meminfo").read_text())


def _for_secrets(*, needed: bool) -> Iterator[Finding]:
    """The programs that encrypt; nothing is lacking where no stack keeps its secrets so."""
    for name, mend in MENDS.items():
        path = shutil.which(name)
        says = path or ("not on PATH" if needed else f"not on PATH; `himari secrets init` needs it: {mend}")
        yield Finding(name=name, ok=path is not None or not needed, says=says, mend=mend)


def _for_a_lab() -> Iterator[Finding]:
    lacking = list(preflight.lacks(preflight.look()))
    for error in lacking:
        yield Finding(name="a lab", ok=False, says=f"{error.what} ({error.where})", mend=error.hint)
    if not lacking:
        yield Finding(name="a lab", ok=True, says="root, capabilities, binaries, nftables, tun, overlay, cgroups, disk")


def _binary(name: str, package: str) -> Finding:
    path = shutil.which(name)
    return Finding(name=name, ok=path is not None, says=path or "not on PATH", mend=f"apt-get install {package}")


def _maven() -> Finding:
    """What fetches trees; a stack without any, or whose trees are in the cache, does without it."""
    return _binary(maven.MVN, maven.PACKAGE)


def _disk(folder: Path) -> Finding:
    there = preflight.standing(folder)
    free_mb = shutil.disk_usage(there).free // 1_000_000
    says = f"{free_mb:,} MB free at {there}, {DISK_FLOOR_MB:,} MB are needed"
    mend = f"free some space at {there}, or set HIMARI_STATE to a folder on a larger disk"
    return Finding(name="disk", ok=free_mb >= DISK_FLOOR_MB, says=says, mend=mend)


def _memory(meminfo: str) -> Finding:
    available = next(line for line in meminfo.splitlines() if line.startswith("MemAvailable:"))
    free_mb = int(available.split()[1]) // 1024
    says = f"{free_mb:,} MB available, {MEMORY_FLOOR_MB:,} MB are needed"
    return Finding(name="memory", ok=free_mb >= MEMORY_FLOOR_MB, says=says, mend="stop what uses it")
