"""The days: which components a role gets, and in which order. Read from the literals in `deploy/dayNN_*.py`."""

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec

from himari.catalog.registry import WHOLE_HOST
from himari.stack.model import Host, Role
from himari.stack.paths import DEPLOY


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """One deploy file: `name` is its stem, `roles` its literal."""

    name: str
    path: Path
    roles: Mapping[Role, tuple[str, ...]]

    def names(self, host: Host) -> tuple[str, ...]:
        """The components that `host` gets on this day, in order; a component of two roles comes once."""
        wanted = (name for role in host.roles for name in self.roles.get(role, ()))
        return tuple(dict.fromkeys(name for name in wanted if not (host.existing and name in WHOLE_HOST)))


@cache
def days(folder: Path = DEPLOY) -> tuple[Day, ...]:
    """All days in order."""
    return tuple(read_day(path) for path in sorted(folder.glob("day[0-9][0-9]_*.py")))


def read_day(path: Path) -> Day:
    """The day in `path`; the file is read, never run. ValueError when it has no literal `ROLES`."""
    for node in ast.parse(path.read_text(), path.name).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["ROLES"]:
            literal = msgspec.convert(ast.literal_eval(node.value), dict[Role, tuple[str, ...]])
            return Day(name=path.stem, path=path, roles=literal)
    raise ValueError(f"{path}: no literal ROLES = {{role: [components]}}")
