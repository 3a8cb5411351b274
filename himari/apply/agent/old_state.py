"""The old state of what a guarded change touches, and the commands that put it back; they may be repeated."""

from __future__ import annotations

import re
from pathlib import Path
from shlex import join

from himari.apply.agent.command import attempt, run
from himari.apply.agent.files import replace
from himari.apply.agent.units import show
from himari.apply.agent.wire import UnitChange

_TABLE = re.compile(rb"^\s*table\s+(\w+)\s+(\S+)", re.MULTILINE)


def keep_file(path: Path, copy: Path, undone: Path) -> list[str]:
    """Keep `path` as `copy`; the commands that put it back from `undone`, where the copy will lie by then."""
    if not path.exists():
        return [join(["rm", "-f", str(path)])]
    run(["cp", "--preserve=all", str(path), str(copy)])
    draft = f"{path}.himari-old"
    return [join(["cp", "--preserve=all", str(undone), draft]), join(["mv", draft, str(path)])]


def keep_tables(contents: list[bytes], folder: Path, undone: Path) -> list[str]:
    """The firewall's tables that the files to come name, as they are: in one transaction, nothing but these."""
    tables = sorted({(family.decode(), name.decode()) for text in contents for family, name in _TABLE.findall(text)})
    if not tables:
        return []
    lines = []
    for family, name in tables:
        held = attempt(["nft", "list", "table", family, name])
        # `table` first, as `delete` fails on one that does not exist.
        lines += [f"table {family} {name}", f"delete table {family} {name}", "" if held.returncode else held.stdout]
    replace(folder / "tables", "\n".join((*lines, "")).encode(), 0o600)
    return [f"nft -f {undone / 'tables'}"]


def keep_units(units: list[UnitChange]) -> tuple[list[str], list[str]]:
    """How the units that do not run now are stopped, and how those that run get their old configuration."""
    started, running = [], []
    for name, shown in show([unit.name for unit in units]).items():
        if shown["ActiveState"] in ("active", "reloading"):
            running.append(join(["systemctl", "reload-or-restart", name]))
        else:
            started.append(join(["systemctl", "stop", name]))
        if shown["UnitFileState"] != "enabled":
            started.append(join(["systemctl", "disable", "--quiet", name]))
    return started, running
