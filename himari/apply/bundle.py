"""The agent as text for a host's Python: nothing is installed there and nothing secret is in an argument."""

import base64
import json
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from himari.apply.agent import wire

_FOLDER = Path(wire.__file__).parent
_PACKAGE = wire.__package__ or ""
# Each module comes after those that it imports.
_MODULES = (
    "command",
    "places",
    "wire",
    "failures",
    "files",
    "packages",
    "accounts",
    "credentials",
    "uploads",
    "environments",
    "trees",
    "units",
    "old_state",
    "wireguard",
    "guard",
    "alone",
    "activate",
    "state",
    "strip",
    "main",
)
_BOOTSTRAP = (
    "import sys,json,zlib,base64,types;"
    "s=json.load(sys.stdin);"
    "exec(zlib.decompress(base64.b64decode(s['loader'])),{'stream':s})"
)
_LOADER = """
for name, source in stream["modules"]:
    module = sys.modules[name] = types.ModuleType(name)
    module.__path__ = []
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)
    exec(compile(zlib.decompress(base64.b64decode(source)), name, "exec"), module.__dict__)
sys.modules[stream["main"]].main(stream["verb"], stream["request"])
"""

COMMAND = f'python3 -c "{_BOOTSTRAP}"'


class Stream(list[str]):
    """Text for a command's stdin that shows in no log; pyinfra prints the arguments of facts when it is verbose."""

    def __repr__(self) -> str:
        return "(hidden)"

    __str__ = __repr__


def stream(verb: str, request: Mapping[str, Any] | bytes) -> Stream:
    """What goes to the stdin of COMMAND so that the host does `verb` with `request` (an object, or its JSON)."""
    body = request.decode() if isinstance(request, bytes) else json.dumps(request)
    return Stream([f'{{"verb":"{verb}","request":{body},{_agent()}}}'])


@cache
def _agent() -> str:
    packages = [_PACKAGE.rsplit(".", cut)[0] for cut in range(_PACKAGE.count("."), -1, -1)]
    modules = [(name, "") for name in packages]
    modules += [(f"{_PACKAGE}.{name}", (_FOLDER / f"{name}.py").read_text(encoding="utf-8")) for name in _MODULES]
    loader = "import sys,types,zlib,base64\n" + _LOADER
    parts = {
        "loader": _packed(loader),
        "modules": [(name, _packed(source)) for name, source in modules],
        "main": f"{_PACKAGE}.main",
    }
    return json.dumps(parts)[1:-1]


def _packed(source: str) -> str:
    return base64.b64encode(zlib.compress(source.encode(), 9)).decode()
