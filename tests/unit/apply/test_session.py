"""Round trips are counted on a stand-in for `ssh` that runs what it is given on this machine."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from himari.apply import bundle
from himari.apply.agent.wire import Activation, FileChange, Query, State, UnitChange
from himari.apply.drift import file_diffs
from himari.apply.operations import Job
from himari.apply.render import Rendered
from himari.apply.session import ask, perform
from himari.apply.waiting import STOPPING
from himari.catalog.component import File
from himari.catalog.root import entry_program
from himari.ssh.connection import Reach
from himari.stack.errors import DeployError, HostError
from himari.stack.known import KnownHost

SSH = """#!/bin/sh
printf '%s\n' "$*" >> "$HIMARI_TEST_LOG"
for command; do :; done
exec sh -c "$command"
"""
SUDO = """#!/bin/sh
while [ "${1#-}" != "$1" ]; do shift; done
exec python3 ENTRY
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program(tmp_path, "ssh", SSH)
    entry = tmp_path / "entry"
    entry.write_text(entry_program())
    program(tmp_path, "sudo", SUDO.replace("ENTRY", str(entry)))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("HIMARI_TEST_LOG", str(tmp_path / "log"))
    return tmp_path / "log"


def program(folder: Path, name: str, text: str) -> None:
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def reach(name: str) -> Reach:
    return Reach(name, KnownHost(address="192.0.2.1"), Path("/dev/null"))


def silent(_host: str, _what: str) -> None:
    return


def test_a_host_is_asked_everything_with_one_command(log: Path, tmp_path: Path) -> None:
    query = Query(paths=[str(tmp_path)], packages=["dpkg"], users=["root"], credentials={"a": "s3cret"})
    states = ask({name: (reach(name), query) for name in ("edge", "brain")}, silent)
    commands = log.read_text()
    assert {name: sorted(state.packages) for name, state in states.items()} == {"edge": ["dpkg"], "brain": ["dpkg"]}
    assert all(isinstance(state, State) for state in states.values())
    assert len(commands.splitlines()) == 2
    assert "s3cret" not in commands


def test_a_day_that_lacks_nothing_costs_no_command(log: Path) -> None:
    job = Job(Activation(), reach("edge"), sudo=True)
    perform("day02_redis", [job], silent)
    assert not log.exists()
    assert job.report is None


def test_an_unreachable_host_is_told_as_such(log: Path, tmp_path: Path) -> None:
    program(tmp_path, "ssh", "#!/bin/sh\necho 'ssh: connect to host: Connection refused' >&2\nexit 255\n")
    with pytest.raises(HostError, match=r"192\.0\.2\.1:22 cannot be reached"):
        ask({"edge": (reach("edge"), Query())}, silent)


def test_a_host_that_does_not_answer_in_our_terms_is_a_deploy_error(log: Path, tmp_path: Path) -> None:
    program(tmp_path, "ssh", "#!/bin/sh\ncat >/dev/null\necho motd\n")
    with pytest.raises(DeployError, match="its state cannot be read") as told:
        ask({"edge": (reach("edge"), Query())}, silent)
    assert "`ssh -F /dev/null edge sudo -n -l` says why; himari lab shell edge" in told.value.hint


def test_what_the_agent_does_is_heard_while_it_works(log: Path, tmp_path: Path) -> None:
    answer = json.dumps({"changed": ["file /x"], "failure": None, "token": ""})
    program(tmp_path, "ssh", f"#!/bin/sh\ncat >/dev/null\necho 'himari: file /x' >&2\necho '{answer}'\n")
    heard: list[tuple[str, str]] = []
    job = Job(Activation(packages=["x"]), reach("edge"), sudo=False)
    perform("day01_host", [job], lambda host, what: heard.append((host, what)))
    assert heard == [("edge", "file /x")]
    assert job.report is not None
    assert job.report.changed == ["file /x"]


def test_a_guarded_change_without_a_fresh_login_fails_and_says_that_it_reverts(
    log: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = json.dumps({"changed": [], "failure": None, "token": "0123"})
    refuse = "case \"$*\" in *ControlMaster=no*) echo 'Connection timed out' >&2; exit 255;; esac"
    program(tmp_path, "ssh", f"#!/bin/sh\n{refuse}\ncat >/dev/null\necho '{answer}'\n")
    content = base64.b64encode(b"x").decode()
    file = FileChange("/etc/himari/firewall.nft", content, 0o644, "root", "root", [], [], guarded=True)
    job = Job(Activation(files=[file], guard_seconds=2), reach("edge"), sudo=False)
    perform("day03_network", [job], silent)
    assert job.report is not None
    assert job.report.failure is not None
    assert "no fresh login" in job.report.failure.what
    assert "puts the old state back 2 s after" in job.report.failure.lines[-1]
    assert capfd.readouterr() == ("", "")  # a refused login is no crash: no traceback on the terminal


def test_a_server_that_reloads_is_asked_again(log: Path, tmp_path: Path) -> None:
    answer = json.dumps({"changed": [], "failure": None, "token": "0123"})
    flag = tmp_path / "reloaded"
    once = f"{{ echo >>{flag}; echo refused >&2; exit 255; }}"
    refuse = f'case "$*" in *ControlMaster=no*) [ $(wc -l <{flag}) -gt 4 ] || {once};; esac'
    flag.touch()
    program(tmp_path, "ssh", f"#!/bin/sh\n{refuse}\ncat >/dev/null\necho '{answer}'\n")
    unit = UnitChange(
        "ssh.service", "d", enable=False, start=True, reload=True, ready=[], ready_seconds=1, guarded=True
    )
    job = Job(Activation(units=[unit]), reach("edge"), sudo=False)
    perform("day01_host", [job], silent)
    assert job.report is not None
    assert job.report.failure is None
    assert len(flag.read_text()) == 5


# A run over one host whose step takes until `go` is written; it says what it hears, and what was done when it ends.
INTERRUPTED = """
import sys
from pathlib import Path
from himari.apply.agent.wire import Activation
from himari.apply.operations import Job
from himari.apply.session import perform
from himari.ssh.connection import Reach
from himari.cli.failure import guarded
from himari.stack.known import KnownHost

job = Job(Activation(packages=["x"]), Reach("edge", KnownHost(address="192.0.2.1"), Path("/dev/null")), sudo=False)

def work():
    try:
        perform("day01_host", [job], lambda host, what: print(host, what, flush=True))
    finally:
        print("ended with", job.report.changed if job.report else None, flush=True)

sys.exit(guarded(["up", "lab-edge"], work))
"""
SLOW = """#!/bin/sh
cat >/dev/null
echo 'himari: file /x' >&2
while ! [ -e {go} ]; do sleep 0.05; done
echo '{{"changed": ["file /x"], "failure": null, "token": ""}}'
touch {go}.done
"""


@pytest.fixture
def interrupted(log: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A run that Ctrl-C at a terminal has hit in the middle of a host's step."""
    program(tmp_path, "ssh", SLOW.format(go=tmp_path / "go"))
    pipe = subprocess.PIPE
    argv = (sys.executable, "-c", INTERRUPTED)
    with subprocess.Popen(argv, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "edge file /x\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout.readline() == f"edge {STOPPING}\n"
        yield process


def test_ctrl_c_says_what_it_waits_for_and_ends_when_the_hosts_have(
    interrupted: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert interrupted.poll() is None
    (tmp_path / "go").touch()
    out, err = interrupted.communicate(timeout=20)
    assert (tmp_path / "go.done").exists()
    assert out == "ended with ['file /x']\n"
    assert err.splitlines() == ["himari: stopped", "  resume: himari up lab-edge"]
    assert interrupted.returncode == 130


def test_a_second_ctrl_c_leaves_the_hosts_alone(interrupted: subprocess.Popen[str], tmp_path: Path) -> None:
    deadline = time.monotonic() + 20
    while interrupted.poll() is None and time.monotonic() < deadline:
        interrupted.send_signal(signal.SIGINT)
    (tmp_path / "go").touch()
    assert interrupted.wait(20) == -signal.SIGINT


def test_a_job_shows_nothing_of_its_stream() -> None:
    job = Job(Activation(credentials={"redis-pusher": "s3cret"}), reach("edge"), sudo=False)
    assert "s3cret" not in f"{job} {job!r} {job.activation!r} {bundle.COMMAND}"


def test_a_file_in_the_agents_way_is_named_with_its_host(log: Path, tmp_path: Path) -> None:
    failure = {"step": "state", "what": "/etc/himari/credential.key: Is a directory", "lines": ["mv it away"]}
    answer = json.dumps({"changed": [], "failure": failure, "token": ""})
    program(tmp_path, "ssh", f"#!/bin/sh\ncat >/dev/null\necho '{answer}'\n")
    with pytest.raises(DeployError) as told:
        ask({"edge": (reach("edge"), Query())}, silent)
    assert told.value.what == "its state cannot be read: /etc/himari/credential.key: Is a directory"
    assert (told.value.where, told.value.hint) == ("edge", "mv it away")
    rendered = Rendered(File(path="/etc/x"), b"x")
    with pytest.raises(DeployError, match=r"its files cannot be read: /etc/himari/credential\.key"):
        list(file_diffs(reach("edge"), [rendered]))


def test_an_activation_whose_answer_is_none_of_ours_has_failed(log: Path, tmp_path: Path) -> None:
    program(tmp_path, "ssh", "#!/bin/sh\ncat >/dev/null\necho 'Segmentation fault'\n")
    job = Job(Activation(packages=["x"]), reach("edge"), sudo=False)
    perform("day01_host", [job], silent)
    assert job.report is not None
    assert job.report.failure is not None
    assert "not the answer of the agent" in job.report.failure.what
    assert job.report.failure.lines == ["Segmentation fault"]
