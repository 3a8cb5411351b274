"""The secret values that a stack's hosts share: in a file that sops encrypts where the stack has one, and else made
once per stack, in a folder that only the operator can read."""

import contextlib
import os
import re
import secrets
import tempfile
from collections.abc import Iterable
from pathlib import Path

import msgspec

from himari.stack.errors import StackFileError
from himari.stack.paths import StateDir
from himari.vault.sops import SopsFile

_BYTES = 32  # 256 bits: nothing shorter is worth a guess
_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
GIVEN = frozenset({"webhook"})  # what only the operator knows; all others are random
NOT_MADE = "not made yet"  # stands for what a look, which makes nothing, does not find


class Secrets(msgspec.Struct, frozen=True):
    """The stack's secrets by name; a name that is asked for the first time gets a random value if one `makes` them.

    What is `sealed` in a file of the operator's is made by `himari secrets init` only."""

    folder: Path
    makes: bool = True
    sealed: SopsFile | None = None

    @classmethod
    def open(cls, state: StateDir, *, makes: bool = True) -> "Secrets":
        """The secrets of the stack of `state`; with `makes` their folder is made, and closed to everybody else."""
        file = SopsFile.of(state.path.name)
        sealed = file if file.exists else None
        if makes:
            state.secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
            state.secrets.chmod(0o700)
        return cls(state.secrets, makes, sealed)

    def get(self, name: str) -> str:
        """The value of `name`: 64 hexadecimal digits unless one was put there; NOT_MADE to one that only looks.

        Raises ValueError for a name that is no lower-case word with dashes, StackFileError for a value that is the
        operator's to give."""
        path = self._path(name)
        if self.sealed is not None:
            value = self.sealed.values.get(name, "")
        else:
            if self.makes and name not in GIVEN and not path.exists():
                _write_once(path, random_value())
            value = path.read_text(encoding="ascii").strip() if path.exists() else ""
        if not value and self.makes:
            raise self._not_given(name)
        return value or NOT_MADE

    def put(self, name: str, value: str) -> None:
        """Give `name` another value."""
        path = self._path(name)
        if self.sealed is not None:
            self.sealed.put(name, value)
        else:
            _draft(path, value).replace(path)

    def missing(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of `names` that have no value yet, sorted."""
        return tuple(sorted(set(names) - set(self.names)))

    @property
    def names(self) -> tuple[str, ...]:
        """Those that have a value, sorted."""
        return tuple(sorted(self.sealed.names)) if self.sealed is not None else self.unsealed

    @property
    def unsealed(self) -> tuple[str, ...]:
        """Those that lie in the folder, in clear, sorted."""
        files = (path.name for path in self.folder.glob("*") if path.is_file())
        return tuple(sorted(name for name in files if _NAME.fullmatch(name)))

    def _not_given(self, name: str) -> StackFileError:
        stack = self.folder.parent.name
        if self.sealed is None:
            hint = f"write it there, or keep the secrets encrypted: himari secrets init {stack}"
            return StackFileError(f"the secret {name} has no value", str(self._path(name)), "one that you know", hint)
        what, where = f"the secret {name} has no value", f"{self.sealed.path}: {name}"
        verb = "edit" if name in GIVEN else "init"
        return StackFileError(what, where, "a value for each secret", f"himari secrets {verb} {stack}")

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a secret's name: {name!r}")
        return self.folder / name


def random_value() -> str:
    """A value that nobody guesses."""
    return secrets.token_hex(_BYTES)


def _write_once(path: Path, value: str) -> None:
    draft = _draft(path, value)
    # A link refuses an existing name, so two runs agree on whichever value came first.
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()


def _draft(path: Path, value: str) -> Path:
    """A file beside `path` that holds `value`, closed to others."""
    handle, draft = tempfile.mkstemp(prefix=".", dir=path.parent)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(value + "\n")
        file.flush()
        os.fsync(file.fileno())
    return Path(draft)
