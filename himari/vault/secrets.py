"""The secret values that a stack's hosts share: made once per stack, in a folder that only the operator can read."""

import contextlib
import os
import re
import secrets
import tempfile
from collections.abc import Iterable
from pathlib import Path

import msgspec

from himari.stack.paths import StateDir

_BYTES = 32  # 256 bits: nothing shorter is worth a guess
_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
NOT_MADE = "not made yet"  # stands for what a look, which makes nothing, does not find


class Secrets(msgspec.Struct, frozen=True):
    """The stack's secrets by name; a name that is asked for the first time gets a random value if one `makes` them."""

    folder: Path
    makes: bool = True

    @classmethod
    def open(cls, state: StateDir, *, makes: bool = True) -> "Secrets":
        """The secrets below `state`; with `makes` their folder is made, and closed to everybody else."""
        if not makes:
            return cls(state.secrets, makes)
        state.secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
        state.secrets.chmod(0o700)
        return cls(state.secrets)

    def get(self, name: str) -> str:
        """The value of `name`: 64 hexadecimal digits unless one was put there; NOT_MADE to one that only looks.

        Raises ValueError for a name that is no lower-case word with dashes."""
        path = self._path(name)
        if not path.exists():
            if not self.makes:
                return NOT_MADE
            _write_once(path, secrets.token_hex(_BYTES))
        return path.read_text(encoding="ascii").strip()

    def missing(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of `names` that have no value yet, sorted."""
        return tuple(sorted({name for name in names if not self._path(name).exists()}))

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a secret's name: {name!r}")
        return self.folder / name


def _write_once(path: Path, value: str) -> None:
    handle, draft = tempfile.mkstemp(prefix=".", dir=path.parent)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(value + "\n")
        file.flush()
        os.fsync(file.fileno())
    # A link refuses an existing name, so two runs agree on whichever value came first.
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    Path(draft).unlink()
