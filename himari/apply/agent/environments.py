"""Virtual environments from wheelhouses: `link` -> an environment that is addressed by the wheelhouse's digest."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from himari.apply.agent import uploads
from himari.apply.agent.command import StepError, attempt, run
from himari.apply.agent.files import point, replace
from himari.apply.agent.places import Places
from himari.apply.agent.wire import EnvironmentChange

_COMPLETE = ".himari-complete"  # says what the environment holds; a killed installation leaves a folder without it
_COMPILED = "__pycache__"  # Python adds to it whenever root runs something, and looks at it before it believes it
_WHEELS = Path("/usr/share/python-wheels")  # Debian's own, from python3-venv
_IMPORT_ALL = """
import contextlib
import importlib
import pkgutil
import sys
top = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(top.__path__, top.__name__ + "."):
    with contextlib.suppress(ImportError):  # what this host's services do not use
        importlib.import_module(module.name)
"""


def linked(link: str, places: Places) -> str:
    """The digest of the whole environment that `link` points to; empty when there is none."""
    target = Path(link).resolve()
    return target.name if target.parent == places.environments and _is_whole(target) else ""


def put(change: EnvironmentChange, places: Places) -> None:
    """Install the wheelhouse `change.digest` and point the link at it, in one step."""
    environment = places.environments / change.digest
    if not _is_whole(environment):
        shutil.rmtree(environment, ignore_errors=True)
        _install(environment, places.wheels / change.digest, change.package)
        _complete(environment)
    point(change.link, environment)


def sweep(places: Places) -> None:
    """Remove environments and wheels that no link needs any more; only once no unit runs from them."""
    used = places.linked
    for folder in places.environments.glob("*"):
        if folder.name not in used:
            shutil.rmtree(folder, ignore_errors=True)
    uploads.sweep(places.wheels, used)


def _is_whole(environment: Path) -> bool:
    mark = environment / _COMPLETE
    return mark.is_file() and mark.read_text(errors="replace") == _inventory(environment)


def _complete(environment: Path) -> None:
    # After a power cut a mark that came to the disk first would vouch for modules that did not.
    run(["sync", "--file-system", str(environment)])
    replace(environment / _COMPLETE, _inventory(environment).encode(), 0o644)
    run(["sync", str(environment)])


def _inventory(environment: Path) -> str:
    """A digest over the names and sizes of all files: enough to see those that a power cut emptied or lost."""
    seen = []
    for folder, below, names in os.walk(environment):
        below[:] = [name for name in below if name != _COMPILED]
        paths = (Path(folder, name) for name in names if name != _COMPLETE)
        seen += [f"{path.relative_to(environment)}\0{path.lstat().st_size}\n" for path in paths]
    return hashlib.sha256("".join(sorted(seen)).encode(errors="surrogateescape")).hexdigest()


def _install(environment: Path, source: Path, package: str) -> None:
    uploads.check(source)
    pip = sorted(_WHEELS.glob("pip-*.whl"))
    if not pip:
        raise StepError(f"no pip in {_WHEELS}", ["the package python3-venv is not installed"])
    # Without ensurepip: Debian's wheel runs as it is, and a copy per environment would take seconds.
    run(["/usr/bin/python3", "-m", "venv", "--without-pip", str(environment)])
    python = str(environment / "bin" / "python")
    options = ["--quiet", "--no-index", "--no-cache-dir", "--disable-pip-version-check", "--no-compile", "--no-deps"]
    locked = ["--find-links", str(source), "--require-hashes", "--requirement", str(source / "requirements.txt")]
    run([python, f"{pip[-1]}/pip", "install", *options, *locked])
    # Services may not write here. What they import is a fraction of what is there, and compiling costs most of all.
    attempt([python, "-c", _IMPORT_ALL, package])
