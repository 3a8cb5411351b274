"""Encrypted systemd credentials, compared by an HMAC under a key that only root on this host can read."""

from __future__ import annotations

import hashlib
import hmac
import json
import os

from himari.apply.agent.command import run
from himari.apply.agent.files import replace
from himari.apply.agent.places import Places

_KEY_BYTES = 32


def matching(values: dict[str, str], places: Places) -> list[str]:
    """The names of those credentials that are on the host, untouched since they were put, with the value given."""
    if not _has_key(places):
        return []
    marks = _marks(places)
    return [name for name, value in values.items() if _is_put(name, value, marks, places)]


def put(name: str, value: str, places: Places) -> None:
    """Encrypt `value` for this host as credential `name`; it is on no disk and in no argument in the clear."""
    if not _has_key(places):
        replace(places.credential_key, os.urandom(_KEY_BYTES), 0o400)
    places.credstore.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = places.credstore / f".{name}.himari"
    draft.unlink(missing_ok=True)
    run(["systemd-creds", "encrypt", "--with-key=host", f"--name={name}", "-", str(draft)], given=value)
    draft.chmod(0o600)
    marks = {**_marks(places), name: _mark(name, value, draft.read_bytes(), places)}
    draft.replace(places.credstore / name)
    replace(places.credential_marks, json.dumps(marks, sort_keys=True).encode(), 0o600)


def _is_put(name: str, value: str, marks: dict[str, str], places: Places) -> bool:
    path = places.credstore / name
    return path.is_file() and hmac.compare_digest(marks.get(name, ""), _mark(name, value, path.read_bytes(), places))


def _has_key(places: Places) -> bool:
    return places.credential_key.exists() and places.credential_key.stat().st_size == _KEY_BYTES


def _mark(name: str, value: str, encrypted: bytes, places: Places) -> str:
    # Over the encrypted bytes, too: whoever alters or swaps the file cannot make a mark for it, and nothing needs to
    # be decrypted to see that.
    message = f"{name}\0{hashlib.sha256(encrypted).hexdigest()}\0{value}".encode()
    return hmac.new(places.credential_key.read_bytes(), message, hashlib.sha256).hexdigest()


def _marks(places: Places) -> dict[str, str]:
    """What was noted; nothing when that cannot be read, as credentials may be put again at any time."""
    try:
        noted = json.loads(places.credential_marks.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return {name: mark for name, mark in noted.items() if isinstance(mark, str)} if isinstance(noted, dict) else {}
