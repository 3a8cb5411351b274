import subprocess
import sys
from pathlib import Path

import pytest

from himari.apply.preparation import Preparation
from himari.apply.wheelhouse import digest, fetched_bytes, making, wheelhouse
from himari.catalog.component import Artifact
from himari.drills.field import await_
from himari.stack.errors import MachineError


def test_a_wheelhouse_is_addressed_by_sources_lock_and_python() -> None:
    runtime = Artifact(name="himari-runtime", lock="runtime.txt", venv="/opt/himari/runtime")
    consumer = Artifact(name="himari-runtime", lock="consumer.txt", venv="/opt/himari/runtime")
    exchange = Artifact(name="himari-exchange", lock="runtime.txt", venv="/opt/himari/runtime")
    addresses = {
        digest(runtime, "cp311"),
        digest(consumer, "cp311"),
        digest(exchange, "cp311"),
        digest(runtime, "cp313"),
    }
    assert len(addresses) == 4
    assert all(len(address) == 32 for address in addresses)


RUNTIME = Artifact(name="himari-runtime", lock="runtime.txt", venv="/opt/himari/runtime")
EXCHANGE = Artifact(name="himari-exchange", lock="exchange.txt", venv="/opt/himari/exchange")
HERE = f"cp{sys.version_info.major}{sys.version_info.minor}"
# A pip that writes one wheel into the folder that is named after --dest or --wheel-dir.
MAKES = """for word; do
  case $before in --dest|--wheel-dir) echo wheel >"$word/$3-1-py3-none-any.whl";; esac
  before=$word
done"""


@pytest.fixture
def pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What stands in for Python and its pip, which also notes its calls; a cache of its own."""
    monkeypatch.setenv("HIMARI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    told(tmp_path / "python", MAKES)
    return tmp_path / "python"


def told(pip: Path, text: str) -> None:
    pip.write_text(f'#!/bin/sh\necho "$3" >>{pip.parent}/called\n{text}\n')
    pip.chmod(0o755)


def calls(pip: Path) -> list[str]:
    path = pip.parent / "called"
    return path.read_text().split() if path.exists() else []


def test_wheels_are_made_once_and_listed_with_their_sums(pip: Path) -> None:
    folder = wheelhouse(RUNTIME, HERE)
    assert calls(pip) == ["download", "wheel"]
    assert {line.split()[0] for line in (folder / "requirements.txt").read_text().splitlines()} == {
        "download==1",
        "wheel==1",
    }
    subprocess.run(("sha256sum", "--quiet", "-c", "SHA256SUMS"), cwd=folder, check=True)
    assert wheelhouse(RUNTIME, HERE) == folder
    assert calls(pip) == ["download", "wheel"]


def test_how_large_wheels_are_is_known_once_they_were_fetched(pip: Path) -> None:
    assert fetched_bytes(RUNTIME) is None
    wheelhouse(RUNTIME, HERE)
    assert fetched_bytes(RUNTIME) == len("wheel\n")


def test_wheels_that_are_prepared_are_waited_for(pip: Path) -> None:
    with Preparation() as preparation:
        preparation.begin(map(making, (RUNTIME, EXCHANGE, RUNTIME)))
        assert wheelhouse(EXCHANGE, HERE).exists()
        assert wheelhouse(RUNTIME, HERE).exists()
    assert len(calls(pip)) == 4


def test_what_went_wrong_beforehand_is_told_where_the_wheels_are_needed(
    pip: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    told(pip, "echo no route >&2; exit 1")
    with Preparation() as preparation:
        preparation.begin([making(RUNTIME)])
        for _ in range(2):
            with pytest.raises(MachineError, match="pip download failed: no route"):
                wheelhouse(RUNTIME, HERE)
    assert calls(pip) == ["download"]
    assert capfd.readouterr() == ("", "")
    told(pip, MAKES)
    assert wheelhouse(RUNTIME, HERE).exists()


def test_a_cache_without_room_or_rights_is_told_and_prints_no_traceback(
    pip: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (pip.parent / "cache").touch()
    with Preparation() as preparation:
        preparation.begin([making(RUNTIME)])
        with pytest.raises(MachineError, match="wheels cannot be kept") as caught:
            wheelhouse(RUNTIME, HERE)
    assert str(pip.parent / "cache") in caught.value.where
    assert "HIMARI_CACHE" in caught.value.hint
    assert capfd.readouterr() == ("", "")


def test_pip_and_what_it_builds_end_with_the_run(pip: Path) -> None:
    pids = pip.parent / "pids"
    told(pip, f"sleep 600 & echo $$ $! >{pids}.new; mv {pids}.new {pids}; wait")
    with Preparation() as preparation:
        preparation.begin(map(making, (RUNTIME, EXCHANGE)))
        assert await_(pids.exists, 20)
    assert calls(pip) == ["download"]
    assert await_(lambda: not any(alive(pid) for pid in pids.read_text().split()), 20)
    assert [path.name for path in (pip.parent / "cache" / "wheels").iterdir()] == []


def alive(pid: str) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"
