"""Where things lie on the operator's machine."""

import os
from pathlib import Path

import msgspec

PROJECT = Path(__file__).resolve().parents[2]
INVENTORIES = PROJECT / "inventories"
DEPLOY = PROJECT / "deploy"
MIGRATIONS = PROJECT / "migrations"
TEMPLATES = PROJECT / "templates"
VALIDATION = PROJECT / "validation"
LOCKS = PROJECT / "requirements"
QUERIES = PROJECT / "queries"


def state_root() -> Path:
    """The folder of all stacks' state; `HIMARI_STATE` moves it."""
    return Path(os.environ.get("HIMARI_STATE", PROJECT / ".himari"))


def secrets_root() -> Path:
    """The folder of the stacks' encrypted secrets and their rules; `HIMARI_SECRETS` moves it."""
    return Path(os.environ.get("HIMARI_SECRETS", PROJECT / "secrets"))


def cache_root() -> Path:
    """Images, wheels and trees, addressed by digest; shared by all checkouts. `HIMARI_CACHE` moves it."""
    return Path(os.environ.get("HIMARI_CACHE", Path.home() / ".cache" / "himari"))


class StateDir(msgspec.Struct, frozen=True):
    """`.himari/STACK`: all that Himari keeps about one stack on this machine."""

    path: Path

    @classmethod
    def of(cls, stack_name: str) -> "StateDir":
        return cls(state_root() / stack_name)

    @property
    def hosts(self) -> Path:
        return self.path / "hosts.json"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    @property
    def ssh(self) -> Path:
        """Folder of `config`, `known_hosts`, the control sockets and, in a lab, the operator's key `id_ed25519`."""
        return self.path / "ssh"

    @property
    def secrets(self) -> Path:
        """Folder (0700) of the values that this stack's hosts share, and of the stack's CA."""
        return self.path / "secrets"

    @property
    def runs(self) -> Path:
        return self.path / "runs"

    @property
    def evidence(self) -> Path:
        return self.path / "evidence.json"
