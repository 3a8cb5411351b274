"""The recording on the exchange host: here this machine, with a program of the test in place of the system's."""

import gzip
import hashlib
import json
import os
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from shlex import quote

import pytest

from himari.runs.feed import choose_feed
from himari.runs.recording import ABSENT, AGAIN, LOOK, UPLOAD, put_recording, span_seconds
from himari.ssh.connection import close
from himari.stack.errors import DeployError
from himari.stack.known import KnownHost, write_known
from himari.stack.load import load_stack
from himari.stack.paths import StateDir

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


def on_the_host(script: str, content: bytes, **words: str) -> subprocess.CompletedProcess[bytes]:
    text = script.format(absent=ABSENT, again="echo again", **words)
    return subprocess.run(("sh", "-c", text), input=content, capture_output=True, check=False)


def test_it_is_put_whole_or_not_at_all(tmp_path: Path) -> None:
    content = b"a recording"
    path = tmp_path / "recordings" / "it is.gz"
    words = {"path": quote(str(path)), "sha256": hashlib.sha256(content).hexdigest()}
    assert on_the_host(LOOK, b"", **words).stdout == b"absent\n"
    torn = on_the_host(UPLOAD, content[:4], **words)
    assert (torn.returncode, path.exists()) == (1, False)
    assert on_the_host(UPLOAD, content, **words).returncode == 0
    assert path.read_bytes() == content
    assert on_the_host(LOOK, b"", **words).stdout == b"again\n"
    path.write_bytes(content[:4])
    assert on_the_host(LOOK, b"", **words).stdout == b"absent\n"


# An exchange host that notes what it is sent and answers from `says`, a line a command.
HOST = """#!/bin/sh
cd {folder}
cat >"sent.$(ls sent.* 2>/dev/null | wc -l)"
head -1 says; sed -i 1d says
"""


@pytest.fixture
def exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a stand-in for ssh, which plays the exchange host."""
    (tmp_path / "ssh").write_text(HOST.format(folder=tmp_path))
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def put(exchange: Path, recording: Path) -> tuple[str, ...]:
    """What an `up` with this recording changes."""
    state = StateDir(exchange / "state")
    write_known(state.hosts, {"exchange": KnownHost(address="192.0.2.1", ssh_host_key="ssh-ed25519 AAAA")})
    stack = load_stack("lab-edge")
    feed = choose_feed(stack, recording, 1.0, live=False)
    try:
        return put_recording(stack, state, feed, recording, lambda _host, _says: None).changed
    finally:
        close({}, state)


def sent(exchange: Path) -> list[bytes]:
    """What the host was sent, command by command."""
    return [path.read_bytes() for path in sorted(exchange.glob("sent.*"))]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "recording.gz"
    path.write_bytes(gzip.compress(b'1723161253937085768 {"stream":"btcusdt@trade","data":{}}\n'))
    return path


def test_one_that_is_there_costs_one_command_and_is_not_sent(exchange: Path, recording: Path) -> None:
    (exchange / "says").write_text("\n")
    assert put(exchange, recording) == ()
    assert sent(exchange) == [b""]


def test_one_that_is_not_there_is_sent_once(exchange: Path, recording: Path) -> None:
    (exchange / "says").write_text("absent\n\n\n")
    assert put(exchange, recording) == ("exchange: recording recording.gz",)
    assert sent(exchange) == [b"", recording.read_bytes(), b""]


def test_one_that_begins_anew_is_told(exchange: Path, recording: Path) -> None:
    (exchange / "says").write_text("again\n")
    assert put(exchange, recording) == ("exchange: recording recording.gz from its beginning",)


def test_one_that_did_not_arrive_is_told(exchange: Path, recording: Path) -> None:
    (exchange / "says").write_text("absent\n")
    refusing = (exchange / "ssh").read_text() + "[ ! -e sent.1 ] || { echo no room >&2; exit 1; }\n"
    (exchange / "ssh").write_text(refusing)
    with pytest.raises(DeployError, match="the recording did not arrive: no room"):
        put(exchange, recording)


def test_a_long_recording_is_never_in_memory_as_a_whole(exchange: Path, recording: Path) -> None:
    line = b'1723161253937085768 {"stream":"btcusdt@trade","data":"%s"}\n'
    with gzip.open(recording, "wb", compresslevel=0) as lines:
        lines.writelines(line % (b"x" * 9_000) for _ in range(2_000))
    (exchange / "says").write_text("absent\n\n\n")
    tracemalloc.start()
    try:
        changed = put(exchange, recording)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert changed
    assert peak < recording.stat().st_size / 2
