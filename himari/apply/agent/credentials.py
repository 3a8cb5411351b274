"""Encrypted systemd credentials, compared by an HMAC under a key that only root on this host can read."""

from __future__ import annotations

import hashlib
import hmac
import json
import os

from himari.apply.agent.command import run
from himari.apply.agent.files import replace
from himari.apply.agent.places import Places


def matching(values: dict[str, str], places: Places) -> list[str]:
    """The names of those credentials that are on the host with the value given."""
    if not places.credential_key.exists():
        return []
    marks = _marks(places)
    return [
        name
        for name, value in values.items()
        if hmac.compare_digest(marks.get(name, ""), _mark(name, value, places)) and (places.credstore / name).exists()
    ]


def put(name: str, value: str, places: Places) -> None:
    """Encrypt `value` for this host as credential `name`; it is on no disk and in no argument in the clear."""
    _ensure_key(places)
    places.credstore.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = places.credstore / f".{name}.himari"
    draft.unlink(missing_ok=True)
    run(["systemd-creds", "encrypt", "--with-key=host", f"--name={name}", "-", str(draft)], given=value)
    draft.chmod(0o600)
    draft.replace(places.credstore / name)
    marks = {**_marks(places), name: _mark(name, value, places)}
    replace(places.credential_marks, json.dumps(marks, sort_keys=True).encode(), 0o600)


def _ensure_key(places: Places) -> None:
    if not places.credential_key.exists():
        replace(places.credential_key, os.urandom(32), 0o400)


def _mark(name: str, value: str, places: Places) -> str:
    message = f"{name}\0{value}".encode()
    return hmac.new(places.credential_key.read_bytes(), message, hashlib.sha256).hexdigest()


def _marks(places: Places) -> dict[str, str]:
    path = places.credential_marks
    return dict(json.loads(path.read_text())) if path.exists() else {}
