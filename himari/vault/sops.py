"""A stack's secrets in a file that sops encrypts: its names stand in clear, its values are in this process alone.

Values go to sops and come from it over pipes: no file, no argument and no variable holds one in clear."""

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import msgspec

from himari.stack.errors import StackFileError
from himari.stack.paths import secrets_root
from himari.vault.age import key_file
from himari.vault.tools import tool

SOPS = "sops"
RULES = ".sops.yaml"
ENDING = ".sops.yaml"  # of a stack's file
UNCHANGED = 200  # sops' exit code for an editor that changed nothing
IN_MEMORY = Path("/dev/shm")  # noqa: S108  where the editor's draft goes: sops closes it to others
SECONDS = 120.0  # a key may ask for its passphrase
_NAMES = re.compile(r"^([A-Za-z0-9][\w-]*):", re.MULTILINE)
_OWN = "sops"  # the key under which sops keeps its own


class SopsFile:
    """The file of one stack; it need not exist."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, stack_name: str) -> "SopsFile":
        """Where the secrets of that stack are."""
        return cls(secrets_root() / f"{stack_name}{ENDING}")

    @property
    def exists(self) -> bool:
        return self.path.exists()

    @property
    def names(self) -> tuple[str, ...]:
        """What it holds, as no key is needed to see."""
        return tuple(name for name in _NAMES.findall(self.path.read_text(encoding="utf-8")) if name != _OWN)

    @cached_property
    def values(self) -> Mapping[str, str]:
        """What it holds, decrypted once. Raises StackFileError when no key here opens it, or it is no flat list."""
        clear = self._sops("decrypt", "--output-type", "json", self.path.name)
        try:
            return msgspec.json.decode(clear, type=dict[str, str])
        except msgspec.ValidationError as error:
            # msgspec names types and keys, never a value.
            raise StackFileError(str(error), str(self.path), "NAME: value, a line each", self._edits()) from None

    def create(self, values: Mapping[str, str]) -> None:
        """Write the file with `values`, for whom the rules beside it name."""
        words = ("encrypt", "--filename-override", self.path.name, "--input-type", "json", "--output-type", "yaml")
        sealed = self._sops(*words, "/dev/stdin", given=json.dumps(dict(values), indent=1, sort_keys=True))
        draft = self.path.with_name(f"{self.path.name}.tmp")
        draft.write_bytes(sealed)
        draft.replace(self.path)
        self._forget()

    def put(self, name: str, value: str) -> None:
        """Give `name` this value; the lines of all others stay as they are."""
        self._sops("set", "--value-stdin", self.path.name, json.dumps([name]), given=json.dumps(value))
        self._forget()

    def edit(self) -> bool:
        """Open the operator's editor on it; whether something was changed. Raises StackFileError when sops refuses."""
        drafts = {"TMPDIR": str(IN_MEMORY)} if os.access(IN_MEMORY, os.W_OK) else {}
        argv = [tool(SOPS), "edit", self.path.name]
        code = subprocess.run(argv, cwd=self.path.parent, env={**os.environ, **drafts}, check=False).returncode
        self._forget()
        if code not in (0, UNCHANGED):
            raise StackFileError(f"sops edit ended with {code}", str(self.path), "a file that was saved", self._edits())
        return code == 0

    def _sops(self, *words: str, given: str = "") -> bytes:
        """What sops prints. It looks for its rules from the folder in which it runs."""
        argv = [tool(SOPS), *words]
        done = subprocess.run(
            argv, cwd=self.path.parent, input=given.encode(), capture_output=True, timeout=SECONDS, check=False
        )
        if done.returncode:
            raise self._refused(words[0], done.stderr.decode(errors="replace").strip().splitlines())
        return done.stdout

    def _refused(self, verb: str, said: Sequence[str]) -> StackFileError:
        hint = f"its keys are the ones that {self.path.parent / RULES} names; yours is looked for at {key_file()}"
        return StackFileError(f"sops {verb}: {''.join(said[:1])}", str(self.path), "a file that your key opens", hint)

    def _edits(self) -> str:
        return f"himari secrets edit {self.path.name.removesuffix(ENDING)}"

    def _forget(self) -> None:
        self.__dict__.pop("values", None)


def write_rules(folder: Path, recipients: Sequence[str]) -> bool:
    """Say in `folder` whom the stacks' files are encrypted for, unless that is said there; whether it was written."""
    path = folder / RULES
    if path.exists():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    keys = "".join(f"      - {key}\n" for key in recipients)
    path.write_text(f"{_ABOUT}creation_rules:\n  - path_regex: \\.sops\\.yaml$\n    age:\n{keys}", encoding="utf-8")
    return True


_ABOUT = """\
# Who may read the stacks' secrets: the public halves of age keys. After a change, in this folder, for each stack:
#   sops updatekeys STACK.sops.yaml
"""
