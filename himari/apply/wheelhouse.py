"""Wheels for hosts that have no package index: made and downloaded here, and addressed by digest."""

import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from threading import Lock, Thread

from himari.apply.wheel_cache import publish, use, wheels_root
from himari.catalog.component import Artifact
from himari.stack.errors import MachineError
from himari.stack.paths import PROJECT

_SOURCES = {"himari-runtime": PROJECT / "runtime", "himari-exchange": PROJECT / "exchange"}
_LOCKS = PROJECT / "requirements"
_GLIBC = (5, 12, 17, 24, 26, 27, 28, 31, 34, 35, 36)  # what a wheel for Debian 12 or later may ask for
_LAYOUT = b"2"  # of a wheelhouse; a change here makes all of them anew
_ONE_AT_A_TIME = Lock()  # two hosts want the same wheels at the same moment


def digest(artifact: Artifact, python: str) -> str:
    """The address of the wheelhouse of `artifact` for hosts whose Python is `python` (cp311)."""
    seen = hashlib.sha256(_LAYOUT + python.encode() + _lock(artifact.lock))
    seen.update(_sources_digest(artifact.name).encode())
    return seen.hexdigest()[:32]


def wheelhouse(artifact: Artifact, python: str) -> Path:
    """The folder with our wheel, all locked ones and their `requirements.txt`; made when it is not there.

    Raises MachineError when wheels can be neither built nor fetched."""
    folder = wheels_root() / digest(artifact, python)
    with _ONE_AT_A_TIME:
        if not folder.exists():
            publish(folder, f"{artifact.name} {artifact.lock} {python}", lambda draft: _fill(draft, artifact, python))
        use(folder)
    return folder


def prepare(artifacts: Iterable[Artifact]) -> None:
    """Make the wheelhouses in the background, for hosts with this machine's Python: what most of them will have.

    What goes wrong here is told by `wheelhouse`, when a host needs the wheels."""
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    wanted = tuple(dict.fromkeys((artifact.name, artifact.lock) for artifact in artifacts))
    Thread(target=_prepare, args=(wanted, python), name="wheels").start()


def _prepare(wanted: Iterable[tuple[str, str]], python: str) -> None:
    for name, lock in wanted:
        with contextlib.suppress(MachineError):
            wheelhouse(Artifact(name=name, lock=lock, venv=""), python)


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
    return (_LOCKS / name).read_bytes()


def _fill(draft: Path, artifact: Artifact, python: str) -> None:
    for folder in (_downloads(_LOCKS / artifact.lock, python), _ours(artifact.name)):
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
    mark = hashlib.sha256(python.encode() + _lock(lock.name)).hexdigest()[:32]
    folder = wheels_root() / f"lock-{mark}"
    if not folder.exists():
        publish(folder, f"{lock.name} {python}", lambda draft: _download(lock, python, draft))
    return folder


def _download(lock: Path, python: str, folder: Path) -> None:
    platforms = [f"--platform=manylinux_2_{minor}_x86_64" for minor in _GLIBC]
    platforms += [f"--platform={old}_x86_64" for old in ("manylinux1", "manylinux2010", "manylinux2014", "linux")]
    target = [f"--python-version={python.removeprefix('cp')}", "--implementation=cp", "--abi=abi3", "--abi=none"]
    options = ["--require-hashes", "--no-deps", "--no-build-isolation", "--prefer-binary", f"--abi={python}", *target]
    _pip("download", "--quiet", *options, *platforms, "--dest", str(folder), "--requirement", str(lock))
    for source in folder.glob("*.tar.gz"):  # published without a wheel; it names what it is built with
        _pip("wheel", "--quiet", "--use-pep517", "--no-deps", "--wheel-dir", str(folder), str(source))
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
        _pip("wheel", *options, "--wheel-dir", str(folder), copy)


def _pip(*arguments: str) -> None:
    # A fixed date makes the same sources give the same wheel.
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1577836800", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    argv = [sys.executable, "-m", "pip", *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        last = "\n".join(done.stderr.strip().splitlines()[-5:])
        hint = "a package index must be reachable once; the wheels are kept after that"
        raise MachineError(f"pip {arguments[0]} failed: {last}", "wheels", "locked wheels for the hosts", hint)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
