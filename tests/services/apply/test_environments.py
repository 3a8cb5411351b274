"""Environments that Debian's own Python and pip make from wheels, as on a host."""

import hashlib
import os
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from himari.apply.agent import environments
from himari.apply.agent.command import StepError
from himari.apply.agent.places import Places
from himari.apply.agent.wire import EnvironmentChange

DIGEST = "0" * 32
WHEEL = "tiny-1-py3-none-any.whl"
FILES = {
    "tiny/__init__.py": "from tiny.answer import ANSWER\n",
    "tiny/answer.py": "ANSWER = 42\n",
    "tiny-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n",
    "tiny-1.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A host's folders, with the wheels of the environment DIGEST."""
    places = Places(wheels=tmp_path / "wheels", environments=tmp_path / "opt" / "envs")
    folder = places.wheels / DIGEST
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        for name, text in FILES.items():
            wheel.writestr(name, text)
        wheel.writestr(
            "tiny-1.dist-info/RECORD", "".join(f"{name},,\n" for name in (*FILES, "tiny-1.dist-info/RECORD"))
        )
    (folder / "requirements.txt").write_text(f"tiny==1 --hash=sha256:{digest(folder / WHEEL)}\n")
    sums = [f"{digest(path)}  {path.name}\n" for path in sorted(folder.iterdir())]
    (folder / "SHA256SUMS").write_text("".join(sums))
    return places


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def change(places: Places) -> EnvironmentChange:
    return EnvironmentChange(str(places.environments.parent / "tiny"), DIGEST, "tiny")


def answer(places: Places) -> str:
    python = f"{change(places).link}/bin/python"
    argv = (python, "-c", "import tiny; print(tiny.ANSWER)")
    compiles = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    return subprocess.run(argv, capture_output=True, text=True, check=True, env=compiles).stdout.strip()


def test_an_environment_is_linked_once_it_is_whole(places: Places) -> None:
    link = change(places).link
    assert environments.linked(link, places) == ""
    environments.put(change(places), places)
    assert environments.linked(link, places) == DIGEST
    assert answer(places) == "42"


def test_nothing_is_installed_from_wheels_that_were_altered_after_their_upload(places: Places) -> None:
    (places.wheels / DIGEST / "requirements.txt").write_text("other==1\n")
    with pytest.raises(StepError, match="not as it was uploaded"):
        environments.put(change(places), places)
    assert environments.linked(change(places).link, places) == ""


def emptied(module: Path) -> None:
    module.write_bytes(b"")


def lost(module: Path) -> None:
    module.unlink()


@pytest.mark.parametrize("cut", [emptied, lost])
def test_an_environment_that_a_power_cut_spoilt_is_made_anew(places: Places, cut: Callable[[Path], None]) -> None:
    environments.put(change(places), places)
    (module,) = (places.environments / DIGEST).glob("lib/*/site-packages/tiny/answer.py")
    cut(module)
    assert environments.linked(change(places).link, places) == ""
    environments.put(change(places), places)
    assert environments.linked(change(places).link, places) == DIGEST
    assert answer(places) == "42"


def test_what_root_runs_from_it_leaves_an_environment_whole(places: Places) -> None:
    environments.put(change(places), places)
    for compiled in (places.environments / DIGEST).glob("lib/*/site-packages/**/*.pyc"):
        compiled.unlink()
    assert answer(places) == "42"
    assert list((places.environments / DIGEST).glob("lib/*/site-packages/tiny/__pycache__/*.pyc"))
    assert environments.linked(change(places).link, places) == DIGEST


def test_an_environment_is_on_the_disk_before_its_mark_vouches_for_it(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    sync = tmp_path / "bin" / "sync"
    sync.parent.mkdir()
    sync.write_text(f'#!/bin/sh\nfor path; do :; done\necho "$1 $(ls "$path"/.himari-complete 2>&1)" >>{told}\n')
    sync.chmod(0o755)
    monkeypatch.setenv("PATH", f"{sync.parent}:{os.environ['PATH']}")
    environments.put(change(places), places)
    before, after = told.read_text().splitlines()
    assert before.startswith("--file-system ")
    assert "No such file" in before
    assert after == f"{places.environments / DIGEST} {places.environments / DIGEST}/.himari-complete"
