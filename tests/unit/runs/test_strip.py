"""Stripping the hosts of a stack; they are a stand-in for `ssh` that notes what it is given and runs none of it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from himari.apply.waiting import STOPPING
from himari.catalog.wireguard import UNIT as TUNNEL
from himari.runs.destroy import destroy
from himari.runs.halfway import half_destroyed
from himari.runs.intent import intent
from himari.runs.journal import Closed, last_journal
from himari.runs.look import look
from himari.runs.put import note_put
from himari.runs.report import DestroyReport
from himari.runs.steps import StepError
from himari.runs.strays import strays
from himari.stack.errors import LEFT, DeployError, HimariError, HostError, StackFileError
from himari.stack.known import KnownHost, read_known, write_known
from himari.stack.load import load_stack
from himari.stack.model import Role, Stack
from himari.stack.paths import StateDir

# HOST.up lets it answer, HOST.answer is what its agent says, HOST.given is what it was told; HOST.awaits names a host
# that must have been told before it answers.
SSH = """#!/bin/sh
folder=$(dirname "$0")
for command; do host=$before; before=$command; done
[ "$1" = -O ] || [ -e "$folder/$host.up" ] || { echo "ssh: connect to host: Connection refused" >&2; exit 255; }
[ "$command" = true ] && exit 0
echo "$*" >"$folder/$host.login"
cat >"$folder/$host.given"
if other=$(cat "$folder/$host.awaits" 2>/dev/null); then
  for try in $(seq 100); do [ -e "$folder/$other.given" ] && break; sleep 0.1; done
  [ -e "$folder/$other.given" ] || exit 255
fi
cat "$folder/$host.answer" 2>/dev/null || echo '{"left": [], "keys": []}'
touch "$folder/$host.ended"
"""
# A destroy of the hosts that were met, which says what it hears.
INTERRUPTED = """
import sys
import msgspec
from himari.cli.failure import guarded
from himari.runs.destroy import destroy
from himari.stack.load import load_stack

loaded = load_stack("vps-brain")
stack = msgspec.structs.replace(loaded, hosts={"edge": loaded.hosts["edge"]})
argv = ("himari", "destroy", "vps-brain")
sys.exit(guarded(argv[1:], lambda: destroy(stack, argv, lambda event: print(event.host, event.says, flush=True))))
"""
ARGV = ("himari", "destroy", "vps-brain", "--yes")
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHod+kpA9bahX8+KR5tMLymTtw11v6SljWvwDqkqNgFo"


def met(address: str) -> KnownHost:
    return KnownHost(
        address=address, ssh_host_key=HOST_KEY, wireguard_public_key="abc=", wireguard_key_made=address.endswith("10")
    )


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the stand-in, where both hosts of the stack answer."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "ssh").write_text(SSH)
    (folder / "ssh").chmod(0o755)
    for name in ("edge", "brain"):
        (folder / f"{name}.up").touch()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("HIMARI_STATE", str(tmp_path / "state"))
    return folder


@pytest.fixture
def stack(hosts: Path) -> Stack:
    """Two servers that were met and put up."""
    loaded = load_stack("vps-brain")
    brain = msgspec.structs.replace(loaded.hosts["brain"], address="203.0.113.11")
    stack = msgspec.structs.replace(loaded, hosts={**loaded.hosts, "brain": brain})
    known = {"edge": met("203.0.113.10"), "brain": met("203.0.113.11")}
    write_known(StateDir.of("vps-brain").hosts, known)
    note_put(stack, known, StateDir.of("vps-brain"))
    return stack


def destroyed(stack: Stack, *gone: str) -> DestroyReport:
    return destroy(stack, ARGV, lambda _event: None, gone)


def refused(stack: Stack, *gone: str) -> HimariError:
    """The failure that ends a destroy."""
    with pytest.raises(StepError) as stopped:
        destroyed(stack, *gone)
    assert isinstance(stopped.value.__cause__, HimariError)
    return stopped.value.__cause__


def test_ctrl_c_waits_for_the_hosts_and_says_so(hosts: Path, stack: Stack) -> None:
    for name in ("edge", "brain"):
        (hosts / f"{name}.awaits").write_text("go")
    argv, pipe = (sys.executable, "-c", INTERRUPTED), subprocess.PIPE
    with subprocess.Popen(argv, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        deadline = time.monotonic() + 20
        while len(list(hosts.glob("*.given"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        assert any(line == f"brain {STOPPING}\n" for line in process.stdout)
        assert process.poll() is None
        (hosts / "go.given").touch()
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "resume: himari destroy vps-brain" in err
    assert len(list(hosts.glob("*.ended"))) == 2


def given(hosts: Path, name: str) -> dict[str, Any]:
    """What the agent on host `name` was asked to remove."""
    told = json.loads((hosts / f"{name}.given").read_text())
    assert told["verb"] == "strip"
    return dict(told["request"])


def exit_codes() -> list[int]:
    return [
        line.exit_code for line in last_journal(StateDir.of("vps-brain").runs, "destroy") if isinstance(line, Closed)
    ]


def test_hosts_are_stripped_side_by_side_and_must_be_met_anew(hosts: Path, stack: Stack) -> None:
    for name, other in (("edge", "brain"), ("brain", "edge")):
        (hosts / f"{name}.awaits").write_text(other)
    report = destroyed(stack)
    assert [line.partition(":")[0] for line in report.removed] == ["edge", "brain"]
    assert report.left == ()
    assert exit_codes() == [0]
    known = read_known(StateDir.of("vps-brain").hosts)
    assert [(host.wireguard_public_key, host.wireguard_key_made) for host in known.values()] == [("", False)] * 2
    assert given(hosts, "edge")["keys"] == ["/etc/wireguard/private.key", "/etc/wireguard/private.key.himari"]
    assert "/run/himari" not in given(hosts, "edge")["folders"]
    assert given(hosts, "edge")["stack"] == "vps-brain"
    assert given(hosts, "brain")["keys"] == []
    assert "ControlMaster=no" in (hosts / "edge.login").read_text()  # a guard there may wait for a login of its own
    units = given(hosts, "brain")["units"]
    assert units.index("himari-deadman.timer") < units.index("himari-deadman.service")
    assert units.index("himari-tunnel.timer") < units.index("himari-tunnel.service") < units.index(TUNNEL)


def test_a_host_that_does_not_answer_keeps_none_of_the_others_alive(hosts: Path, stack: Stack) -> None:
    (hosts / "edge.up").unlink()
    told = refused(stack)
    assert isinstance(told, HostError)
    assert told.where == "edge"
    assert "stripped all the same: brain" in told.what
    assert told.hint.endswith("himari destroy vps-brain --yes --gone edge")
    assert "himari-consumer.service" in given(hosts, "brain")["units"]
    assert exit_codes() == [4]
    assert half_destroyed(StateDir.of("vps-brain"))


def test_a_host_that_is_gone_for_good_is_given_up_by_name(hosts: Path, stack: Stack) -> None:
    (hosts / "edge.up").unlink()
    assert "edge: given up as gone" in intent(stack, ("edge",))[0]
    report = destroyed(stack, "edge")
    assert report.stays[0].startswith("edge: given up as gone")
    assert [line.partition(":")[0] for line in report.removed] == ["brain"]
    assert list(read_known(StateDir.of("vps-brain").hosts)) == ["brain"]
    assert half_destroyed(StateDir.of("vps-brain")) == ""


def test_a_host_that_answers_is_not_given_up_and_nothing_is_removed(hosts: Path, stack: Stack) -> None:
    (hosts / "brain.up").unlink()
    told = refused(stack, "edge")
    assert isinstance(told, StackFileError)
    assert "edge answered" in told.what
    assert told.where == "--gone edge"
    assert not list(hosts.glob("*.given"))
    assert read_known(StateDir.of("vps-brain").hosts)["edge"].wireguard_public_key


@pytest.mark.parametrize(
    ("name", "stack_name", "said"), [("egde", "vps-brain", "no host"), ("edge", "lab-edge", "lab")]
)
def test_only_a_host_that_is_no_labs_can_be_given_up(hosts: Path, name: str, stack_name: str, said: str) -> None:
    with pytest.raises(StackFileError, match=said):
        intent(load_stack(stack_name), (name,))


def test_what_a_host_still_has_ends_the_run_with_a_code_of_its_own(hosts: Path, stack: Stack) -> None:
    (hosts / "edge.answer").write_text('{"left": ["unit himari-collector.service is still active"], "keys": []}')
    report = destroyed(stack)
    assert report.left == ("edge: unit himari-collector.service is still active",)
    assert exit_codes() == [LEFT]
    assert "left something at hosts" in half_destroyed(StateDir.of("vps-brain"))


def test_a_host_itself_tells_that_its_key_was_made_there(hosts: Path, stack: Stack) -> None:
    before = destroyed(stack)
    assert "WireGuard's key that was there before" in before.stays[1]
    (hosts / "brain.answer").write_text('{"left": [], "keys": ["/etc/wireguard/private.key"]}')
    report = destroyed(stack)
    assert "the WireGuard key that was made there" in report.removed[1]
    assert "key" not in report.stays[1]


def test_a_host_whose_agent_fails_is_told_with_its_reason(hosts: Path, stack: Stack) -> None:
    failure = {"step": "lock", "what": "another activation is at work", "lines": ["look at ssh.service"]}
    (hosts / "edge.answer").write_text(json.dumps({"changed": [], "failure": failure, "token": ""}))
    told = refused(stack)
    assert isinstance(told, DeployError)
    assert (told.where, told.hint) == ("edge", "look at ssh.service")
    assert "another activation is at work" in told.what


def swapped(stack: Stack) -> Stack:
    """`stack` with the two hosts in each other's role."""
    roles = {"edge": (Role.BRAIN,), "brain": (Role.EDGE,)}
    hosts = {name: msgspec.structs.replace(host, roles=roles[name]) for name, host in stack.hosts.items()}
    return msgspec.structs.replace(stack, hosts=hosts)


def without_brain(stack: Stack) -> Stack:
    return msgspec.structs.replace(stack, hosts={"edge": stack.hosts["edge"]})


def test_what_a_role_has_put_goes_also_when_the_file_does_not_name_it_any_more(hosts: Path, stack: Stack) -> None:
    destroyed(swapped(stack))
    assert {"himari-collector.service", "himari-consumer.service"} <= set(given(hosts, "edge")["units"])
    assert "/etc/himari/collector.toml" in given(hosts, "edge")["files"]


def test_a_host_that_left_the_file_is_named_stripped_and_forgotten(hosts: Path, stack: Stack) -> None:
    rest = without_brain(stack)
    assert intent(rest)[1].startswith("brain: not in the stack file any more; our units")
    report = destroyed(rest)
    assert [line.partition(":")[0] for line in report.removed] == ["edge", "brain"]
    assert "himari-consumer.service" in given(hosts, "brain")["units"]
    assert list(read_known(StateDir.of("vps-brain").hosts)) == ["edge"]


def test_a_host_that_left_before_its_units_were_noted_is_told(hosts: Path, stack: Stack) -> None:
    (StateDir.of("vps-brain").path / "put.json").unlink()
    (left,) = destroyed(without_brain(stack)).left
    assert left.startswith("brain: its units")
    assert "brain" in read_known(StateDir.of("vps-brain").hosts)


def test_what_left_the_file_is_named_and_only_a_host_with_too_much_is_asked(hosts: Path, stack: Stack) -> None:
    state = StateDir.of("vps-brain")
    known = read_known(state.hosts)
    assert strays(stack, known, state) == ()
    (told,) = strays(without_brain(stack), known, state)
    assert told.startswith("brain: left the stack file")
    assert "himari destroy vps-brain" in told
    assert not list(hosts.glob("*.given"))
    (hosts / "edge.answer").write_text("unit himari-collector.service\nfile /etc/himari/collector.toml\n")
    (hosts / "brain.answer").write_text("")
    unit, file = strays(swapped(stack), known, state)
    assert unit.startswith("edge: unit himari-collector.service is there")
    assert unit.endswith("on the host, systemctl disable --now himari-collector.service")
    assert file.endswith("on the host, rm /etc/himari/collector.toml")


def test_status_names_a_host_that_left_the_file(hosts: Path, stack: Stack) -> None:
    (hosts / "edge.up").unlink()
    (told,) = look(without_brain(stack), lambda _event: None).strays
    assert told.startswith("brain: left the stack file")
