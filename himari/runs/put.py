"""What `up` puts on hosts, kept in `.himari/STACK/put.json`: a host or a role may leave the stack file before that."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from himari.catalog import hostpaths
from himari.catalog.component import Component, View
from himari.catalog.registry import WHOLE_HOST
from himari.catalog.repositories import all_files
from himari.runs.plan import components
from himari.stack.known import Known
from himari.stack.model import Stack
from himari.stack.notes import read_note
from himari.stack.paths import StateDir


class Put(msgspec.Struct, frozen=True, kw_only=True):
    """Units and files of ours on a host."""

    units: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def __add__(self, other: "Put") -> "Put":
        return Put(units=_once(self.units + other.units), files=_once(self.files + other.files))

    def __sub__(self, other: "Put") -> "Put":
        units, files = set(other.units), set(other.files)
        return Put(
            units=tuple(name for name in self.units if name not in units),
            files=tuple(path for path in self.files if path not in files),
        )


def owned(listed: Iterable[Component]) -> Put:
    """What the components put that are ours alone; what makes a whole host safe stays in place."""
    ours = [part for part in listed if part.name not in WHOLE_HOST]
    credentials = tuple(f"{hostpaths.CREDENTIALS}/{held.name}" for part in ours for held in part.credentials)
    files = tuple(file.path for part in ours for file in all_files(part))
    return Put(units=tuple(unit.name for part in ours for unit in part.units), files=files + credentials)


def asked_for(stack: Stack, known: Known, name: str) -> Put:
    """What the stack file asks for on host `name`; nothing when it does not name it."""
    if name not in stack.hosts:
        return Put()
    return owned(components(View(stack=stack, host_name=name, known=known)))


def departed(stack: Stack, known: Known) -> tuple[str, ...]:
    """The hosts that were met and that the stack file does not name any more."""
    return tuple(name for name in known if name not in stack.hosts)


def read_put(state: StateDir) -> dict[str, Put]:
    """By host; none before an `up` came to its hosts. Raises StackFileError when the note is spoiled."""
    again = f"remove it: himari up {state.path.name} notes what the file asks for anew"
    return read_note(put_path(state), dict[str, Put], again) or {}


def note_put(stack: Stack, known: Known, state: StateDir) -> None:
    """Add what `stack` asks for, before any of it is put."""
    noted = read_put(state)
    _write(state, noted | {name: noted.get(name, Put()) + asked_for(stack, known, name) for name in stack.hosts})


def forget_put(state: StateDir, names: Iterable[str]) -> None:
    """Nothing is on these hosts any more."""
    gone, noted = set(names), read_put(state)
    if gone & noted.keys():
        _write(state, {name: put for name, put in noted.items() if name not in gone})


def put_path(state: StateDir) -> Path:
    return state.path / "put.json"


def _write(state: StateDir, noted: dict[str, Put]) -> None:
    state.path.mkdir(parents=True, exist_ok=True)
    path = put_path(state)
    draft = path.with_suffix(".tmp")
    draft.write_bytes(msgspec.json.encode(noted) + b"\n")
    draft.replace(path)


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
