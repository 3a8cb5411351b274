"""Wheels for hosts that have no package index: made and downloaded here, and addressed by digest."""

import hashlib
import sys
import tempfile
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path

from himari.apply.cache import Making, publish, wheels_root
from himari.apply.pip import pip
from himari.apply.preparation import obtained
from himari.catalog.component import Artifact
from himari.stack.errors import MachineError
from himari.stack.paths import LOCKS, PROJECT

_SOURCES = {"himari-runtime": PROJECT / "runtime", "himari-exchange": PROJECT / "exchange"}
_GLIBC = (5, 12, 17, 24, 26, 27, 28, 31, 34, 35, 36)  # what a wheel for Debian 12 or later may ask for
_LAYOUT = b"2"  # of a wheelhouse; a change here makes all of them anew
HERE = f"cp{sys.version_info.major}{sys.version_info.minor}"  # this machine's Python, and that of most hosts


def digest(artifact: Artifact, python: str) -> str:
    """The address of the wheelhouse of `artifact` for hosts whose Python is `python` (cp311)."""
    seen = hashlib.sha256(_LAYOUT + python.encode() + _lock(artifact.lock))
    seen.update(_sources_digest(artifact.name).encode())
    return seen.hexdigest()[:32]


def wheelhouse(artifact: Artifact, python: str) -> Path:
    """The folder with our wheel, all locked ones and their `requirements.txt`; made when it is not there.

    Raises MachineError when wheels can be neither built nor fetched, also when a Preparation could not."""
    return obtained(making(artifact, python))


def making(artifact: Artifact, python: str = HERE) -> Making:
    """How that folder is made."""
    kind = f"{artifact.name} {artifact.lock} {python}"
    fill = partial(_fill, artifact=artifact, python=python)
    return Making(wheels_root() / digest(artifact, python), kind, fill)


def fetched_bytes(artifact: Artifact) -> int | None:
    """How large the locked wheels for this machine's Python are; None before they were fetched: no lock says it."""
    folder = _downloads_folder(LOCKS / artifact.lock, HERE)
    return sum(wheel.stat().st_size for wheel in folder.glob("*.whl")) if folder.exists() else None


@cache
def _sources(name: str) -> Mapping[str, bytes]:
    """The files of our package, read once a run: what it digests is what it builds, whatever is edited meanwhile."""
    root = _SOURCES[name]
    found = (path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    kept = sorted(path for path in found if path.suffix in (".py", ".toml", ".typed", ".dict"))
    return {str(path.relative_to(root)): path.read_bytes() for path in kept}


@cache
def _sources_digest(name: str) -> str:
    seen = hashlib.sha256(name.encode())
    for path, content in _sources(name).items():
        seen.update(f"\0{path}\0".encode() + content)
    return seen.hexdigest()


@cache
def _lock(name: str) -> bytes:
    return (LOCKS / name).read_bytes()


def _fill(draft: Path, artifact: Artifact, python: str) -> None:
    for folder in (_downloads(LOCKS / artifact.lock, python), _ours(artifact.name)):
        for wheel in folder.glob("*.whl"):
            (draft / wheel.name).hardlink_to(wheel)
    # pip checked the lock's hashes when it fetched; from here on these very files are what counts.
    (draft / "requirements.txt").write_text("".join(_requirement(path) for path in sorted(draft.glob("*.whl"))))
    sums = [f"{_sha256(path)}  {path.name}\n" for path in sorted(draft.iterdir())]
    (draft / "SHA256SUMS").write_text("".join(sums))


def _requirement(wheel: Path) -> str:
    name, version = wheel.name.split("-")[:2]
    return f"{name.replace('_', '-')}=={version} --hash=sha256:{_sha256(wheel)}\n"


def _downloads(lock: Path, python: str) -> Path:
    """The locked wheels alone: they outlive changes of our own sources."""
    folder = _downloads_folder(lock, python)
    if not folder.exists():
        publish(folder, f"{lock.name} {python}", lambda draft: _download(lock, python, draft))
    return folder


def _downloads_folder(lock: Path, python: str) -> Path:
    mark = hashlib.sha256(python.encode() + _lock(lock.name)).hexdigest()[:32]
    return wheels_root() / f"lock-{mark}"


def _download(lock: Path, python: str, folder: Path) -> None:
    platforms = [f"--platform=manylinux_2_{minor}_x86_64" for minor in _GLIBC]
    platforms += [f"--platform={old}_x86_64" for old in ("manylinux1", "manylinux2010", "manylinux2014", "linux")]
    target = [f"--python-version={python.removeprefix('cp')}", "--implementation=cp", "--abi=abi3", "--abi=none"]
    options = ["--require-hashes", "--no-deps", "--no-build-isolation", "--prefer-binary", f"--abi={python}", *target]
    pip("download", "--quiet", *options, *platforms, "--dest", str(folder), "--requirement", str(lock))
    for source in folder.glob("*.tar.gz"):  # published without a wheel; it names what it is built with
        pip("wheel", "--quiet", "--use-pep517", "--no-deps", "--wheel-dir", str(folder), str(source))
        source.unlink()
    if foreign := [path.name for path in folder.glob("*-linux_*.whl")]:
        raise MachineError(f"built for this machine, not for the host: {', '.join(foreign)}", "wheels", "pure Python")


def _ours(name: str) -> Path:
    """Our own wheel alone: several wheelhouses hold it."""
    folder = wheels_root() / f"ours-{_sources_digest(name)[:32]}"
    if not folder.exists():
        publish(folder, name, lambda draft: _build(name, draft))
    return folder


def _build(name: str, folder: Path) -> None:
    options = ["--quiet", "--no-build-isolation", "--no-deps", "--no-index"]
    with tempfile.TemporaryDirectory() as copy:
        for path, content in _sources(name).items():
            (Path(copy) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(copy) / path).write_bytes(content)
        pip("wheel", *options, "--wheel-dir", str(folder), copy)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
