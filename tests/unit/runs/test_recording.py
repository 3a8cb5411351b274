"""The recording on the exchange host: here this machine, with a program of the test in place of the system's."""

import gzip
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from himari.runs.recording import AGAIN, UPLOAD, span_seconds

SHA256 = "ab" * 32


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A systemctl that notes what it was asked for; the path of that note."""
    systemctl = tmp_path / "bin" / "systemctl"
    systemctl.parent.mkdir()
    systemctl.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\n')
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{systemctl.parent}:{os.environ['PATH']}")
    return tmp_path / "asked"


def again(note: Path, enough_s: float) -> str:
    argv = (sys.executable, "-c", AGAIN, str(note), SHA256, str(enough_s), "himari-exchange.service")
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def begun(note: Path, seconds_ago: float, recording: str = SHA256) -> None:
    started_ns = time.time_ns() - int(seconds_ago * 1e9)
    note.write_text(json.dumps({"recording": recording, "started_ns": started_ns, "speed": 1.0}))


def test_a_replay_that_is_over_begins_anew(tmp_path: Path, programs: Path) -> None:
    note = tmp_path / "replay.json"
    begun(note, seconds_ago=400)
    assert again(note, enough_s=226) == "again\n"
    assert not note.exists()
    assert programs.read_text() == "restart himari-exchange.service\n"


@pytest.mark.parametrize("seconds_ago", [0, 200])
def test_a_replay_that_lasts_goes_on(tmp_path: Path, programs: Path, seconds_ago: float) -> None:
    note = tmp_path / "replay.json"
    begun(note, seconds_ago)
    assert again(note, enough_s=226) == ""
    assert note.exists()
    assert not programs.exists()


@pytest.mark.parametrize("noted", [None, "", "[", "[1]", "{}", "other"])
def test_what_never_began_or_is_another_recording_is_left_alone(
    tmp_path: Path, programs: Path, noted: str | None
) -> None:
    note = tmp_path / "replay.json"
    if noted == "other":
        begun(note, 400, "cd" * 32)
    elif noted is not None:
        note.write_text(noted)
    assert again(note, enough_s=1) == ""
    assert not programs.exists()


def test_a_recording_is_as_long_as_from_its_first_frame_to_its_last(tmp_path: Path) -> None:
    path = tmp_path / "recording.gz"
    path.write_bytes(gzip.compress(b"1000000000 {}\n2000000000 {}\n3500000000 {}\n"))
    assert span_seconds(path) == 2.5


def upload(path: Path, content: bytes, sha256: str) -> subprocess.CompletedProcess[bytes]:
    script = UPLOAD.format(path=path, sha256=sha256)
    return subprocess.run(("sh", "-c", script), input=content, capture_output=True, check=False)


def test_it_is_put_once_and_whole_or_not_at_all(tmp_path: Path) -> None:
    content = b"a recording"
    digest = hashlib.sha256(content).hexdigest()
    path = tmp_path / "recordings" / f"{digest}.gz"
    torn = upload(path, content[:4], digest)
    assert (torn.returncode, path.exists()) == (1, False)
    assert upload(path, content, digest).stdout == b"uploaded\n"
    assert path.read_bytes() == content
    assert upload(path, content, digest).stdout == b""
