"""A lab whose host does not undo a guarded change by itself is let in again by the drill, which says so."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from himari.drills.altered import keep
from himari.drills.field import Field
from himari.drills.guarded import GUARDS, LockedOut, activate, login
from himari.ssh import connection
from himari.ssh.connection import Reach
from himari.stack.errors import DeployError, HostError
from himari.stack.known import KnownHost, read_known, write_known
from himari.stack.load import load_stack
from himari.stack.paths import StateDir

FAILED = '{"changed": [], "failure": {"step": "file", "what": "no room", "lines": ["df"]}, "token": ""}'
OLD, NEW = "AllowUsers himari\n", "AllowUsers nobody\n"


class Edge(Field):
    """This machine in the place of the edge, with guards and a systemd of its own below `root`."""

    def __init__(self, root: Path) -> None:
        super().__init__(load_stack("lab-edge"), StateDir(root / "state"))
        self.root, self.on = root, True
        self.guards, self.file, self.begun = root / "guard", root / "sshd.conf", root / "begun"
        self.file.write_text(OLD)
        (root / "bin").mkdir()
        (root / "bin" / "systemctl").write_text(f'#!/bin/sh\necho "$@" >>{self.begun}\n')
        (root / "bin" / "systemctl").chmod(0o755)
        write_known(self.state.hosts, {self.edge: KnownHost(address=connection.LOCAL)})

    def inside(self, host: str, script: str) -> str:
        if not self.on:
            raise HostError("the host is off", host)
        here = script.replace(str(GUARDS), str(self.guards))
        path = f"{self.root / 'bin'}:{os.environ['PATH']}"
        argv, environment = ("sh", "-ec", here), {**os.environ, "PATH": path}
        return subprocess.run(argv, env=environment, capture_output=True, text=True, check=True).stdout

    def spoil(self) -> None:
        """What a run does that is gone before it could log in anew."""
        keep(self, self.edge, str(self.file), NEW)
        self.file.write_text(NEW)
        (self.guards / "0a1b").mkdir(parents=True)

    @property
    def restarted(self) -> bool:
        return self.begun.exists() and "restart ssh.service" in self.begun.read_text()


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    made = Edge(tmp_path)
    yield made
    connection.close(read_known(made.state.hosts), made.state)


def locked_out(edge: Edge) -> LockedOut:
    old, new = OLD.strip(), NEW.strip()
    return LockedOut(str(edge.file), "ssh.service", old, new, guard_seconds=60, patience=0.1)


def test_the_file_is_kept_before_anything_is_changed(edge: Edge) -> None:
    edge.state.hosts.unlink()
    with pytest.raises(HostError, match="nothing is known of this host"):
        locked_out(edge).inject(edge)
    kept = edge.file.with_name(f"{edge.file.name}.before-the-drill")
    assert (edge.file.read_text(), kept.read_text()) == (OLD, OLD)


def answers(monkeypatch: pytest.MonkeyPatch, edge: Edge, script: str) -> Reach:
    """The way to an edge whose ssh runs `script`."""
    (edge.root / "bin" / "ssh").write_text(f"#!/bin/sh\n{script}\n")
    (edge.root / "bin" / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{edge.root / 'bin'}:{os.environ['PATH']}")
    return Reach(edge.edge, KnownHost(address="192.0.2.1"), edge.state.ssh / "config")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("cat >/dev/null; echo Traceback: gone >&2", "the host said Traceback: gone"),
        ("cat >/dev/null; echo sudo: a password is required", "the host said sudo: a password is required"),
        ("cat >/dev/null; echo", "the host said nothing"),
        (f"cat >/dev/null; echo '{FAILED}'", "could not be made: no room; df"),
    ],
)
def test_a_host_that_makes_no_change_is_told_with_what_it_said(
    monkeypatch: pytest.MonkeyPatch, edge: Edge, said: str, told: str
) -> None:
    way = answers(monkeypatch, edge, said)
    with pytest.raises(DeployError, match=told):
        activate(way, lambda _: "644", str(edge.file), NEW, "ssh.service", seconds=60)


def test_a_login_that_hangs_has_failed(monkeypatch: pytest.MonkeyPatch, edge: Edge) -> None:
    done = login(answers(monkeypatch, edge, "exec sleep 60"), seconds=0.1)
    assert (done.returncode, done.stderr) == (255, "no login within 0.1 s")


def test_a_guard_that_does_nothing_is_told_and_the_file_is_back(edge: Edge) -> None:
    edge.spoil()
    with pytest.raises(DeployError, match=r"did not put the old state back: .* was as the drill had made it"):
        locked_out(edge).heal(edge)
    assert edge.file.read_text() == OLD
    assert edge.restarted


def test_a_guard_that_is_cut_off_on_its_way_is_told_and_the_unit_begins_with_the_old_file(edge: Edge) -> None:
    edge.spoil()
    edge.file.write_text(OLD)
    with pytest.raises(DeployError, match="holds 0a1b"):
        locked_out(edge).heal(edge)
    assert edge.restarted


def test_an_edge_that_lets_nobody_in_although_its_guard_is_done_is_told(edge: Edge) -> None:
    write_known(edge.state.hosts, {edge.edge: KnownHost(address="192.0.2.1")})
    with pytest.raises(DeployError, match="a fresh login fails"):
        locked_out(edge).heal(edge)
    assert edge.restarted


def test_a_guard_that_did_its_work_leaves_nothing_to_do(edge: Edge) -> None:
    edge.spoil()
    edge.file.write_text(OLD)
    (edge.guards / "0a1b").rmdir()
    locked_out(edge).heal(edge)
    assert not edge.restarted
    assert [path.name for path in edge.root.glob("sshd.conf*")] == ["sshd.conf"]


def test_a_drill_that_never_was_is_healed_at_once(edge: Edge) -> None:
    locked_out(edge).heal(edge)
    assert not edge.restarted


def test_a_host_that_does_not_answer_is_not_taken_for_healed(edge: Edge) -> None:
    edge.spoil()
    edge.on = False
    with pytest.raises(HostError, match="the host is off"):
        locked_out(edge).heal(edge)
    assert edge.file.read_text() == NEW
