"""The operator's age key, where sops looks for it: outside the project, readable by its owner only."""

import os
import subprocess
from pathlib import Path

from himari.stack.errors import MachineError
from himari.stack.paths import PROJECT
from himari.vault.tools import tool

KEYGEN = "age-keygen"


def key_file() -> Path:
    """Where sops reads age keys: what SOPS_AGE_KEY_FILE names, or below the user's configuration."""
    if named := os.environ.get("SOPS_AGE_KEY_FILE"):
        return Path(named)
    below = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(below, "sops", "age", "keys.txt")


def make_key() -> bool:
    """Make the key if there is none, and close it to others; whether it was made.

    Raises MachineError for a place inside the project, where a commit would take it along."""
    path = key_file()
    if path.resolve().is_relative_to(PROJECT):
        hint = "set SOPS_AGE_KEY_FILE to another place, or leave it out"
        raise MachineError("the age key would lie in the project", str(path), "a place outside of it", hint)
    if path.exists():
        path.chmod(0o600)
        return False
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _keygen("-o", str(path))
    return True


def recipients() -> tuple[str, ...]:
    """The public halves of the keys: whom a file is encrypted for. Raises MachineError when there is none."""
    return tuple(_keygen("-y", str(key_file())).split())


def _keygen(*words: str) -> str:
    done = subprocess.run([tool(KEYGEN), *words], capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()[:1]
        hint = "move that file away, and a new key is made; what the old one encrypted then needs the old one"
        raise MachineError(f"{KEYGEN}: {' '.join(said)}", str(key_file()), "an age key", hint)
    return done.stdout
