"""What is known of a stack's hosts beyond its file: addresses that were given out, keys that hosts made.

Kept in `.himari/STACK/hosts.json`; written by the lab and by the first pass over the hosts."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from himari.stack.notes import read_note


class KnownHost(msgspec.Struct, frozen=True, kw_only=True):
    """One host as it was met."""

    address: str  # where ssh reaches it; "local" for this machine
    ssh_port: int = 22
    ssh_host_key: str = ""  # "ssh-ed25519 AAAA...": pinned
    wireguard_public_key: str = ""
    wireguard_key_made: bool = False  # by first contact, so that destroy may remove it


Known = Mapping[str, KnownHost]


def read_known(path: Path) -> dict[str, KnownHost]:
    """The hosts in `path`; none when there is no such file yet. Raises StackFileError when it is spoiled."""
    hint = f"mend it, or remove it: himari up {path.parent.name} then meets every host as for the first time"
    return read_note(path, dict[str, KnownHost], hint) or {}


def write_known(path: Path, known: Known) -> None:
    """Replace `path` in one step, so that a killed run leaves the old file or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(dict(known)), indent=2) + b"\n")
    draft.replace(path)
