"""WireGuard's key on this host, and whether first contact made it."""

from __future__ import annotations

from pathlib import Path

from himari.apply.agent.command import attempt
from himari.apply.agent.places import Places

NOTE = ".himari"  # behind the key's name: the file that first contact wrote with the key that it made


def public_key(places: Places) -> str:
    """The public half of the host's key; empty before there is one."""
    if not places.wireguard_key.exists():
        return ""
    return attempt(["wg", "pubkey"], given=places.wireguard_key.read_text(errors="replace")).stdout.strip()


def made(places: Places) -> list[Path]:
    """The files of the key that first contact made; none when the key is somebody else's."""
    note = Path(f"{places.wireguard_key}{NOTE}")
    ours = note.is_file() and note.read_text(errors="replace").strip() == public_key(places)
    return [places.wireguard_key, note] if ours else []
