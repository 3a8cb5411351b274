"""The argument vectors that boot and enter a host."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from himari.lab import container
from himari.lab.identity import Lab

LAB = Lab("hm-0a1b2c")


def test_under_systemd_a_unit_that_delegates_keeps_the_host_and_boots_it_again() -> None:
    nspawn = container.nspawn_argv(LAB, "edge", Path("/labs/edge/root"))
    argv = container.unit_argv(LAB, "edge", nspawn, Path("/labs/edge/console.log"))
    assert argv[0] == "systemd-run"
    assert "--unit=hm-0a1b2c-edge" in argv
    assert {"--property=Delegate=yes", "--property=RestartForceExitStatus=133"} <= set(argv)
    assert argv[argv.index("--") + 1 :] == nspawn


def test_under_systemd_a_build_runs_in_a_scope_of_the_labs_name() -> None:
    argv = container.scope_argv(LAB, ("mmdebstrap",), 7, systemd=True)
    assert argv == ("systemd-run", "--scope", "--quiet", "--collect", "--unit=hm-0a1b2c-.build", "--", "mmdebstrap")


def test_the_container_boots_in_the_namespace_made_for_it() -> None:
    argv = container.nspawn_argv(LAB, "edge", Path("/labs/edge/root"))
    assert "--network-namespace-path=/run/netns/hm-0a1b2c-edge" in argv
    assert "--machine=hm-0a1b2c-edge" in argv
    assert "--hostname=edge" in argv


@pytest.fixture
def guest(tmp_path: Path) -> Iterator[int]:
    """A process that is PID 1 of a namespace of its own, as the machine counts."""
    argv = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "sleep", "60")
    with subprocess.Popen(argv) as started:
        children = Path(f"/proc/{started.pid}/task/{started.pid}/children")
        deadline = time.monotonic() + 10
        while not (pids := children.read_text().split()):
            assert time.monotonic() < deadline
        yield int(pids[0])
        started.kill()


@pytest.mark.parametrize("place", ["payload/init.scope", "payload"])
def test_the_guests_first_process_is_found_whatever_its_number(tmp_path: Path, guest: int, place: str) -> None:
    empty, group = tmp_path / "v1" / "edge", tmp_path / "v2" / "edge"
    (empty / "payload").mkdir(parents=True)
    (group / place).mkdir(parents=True)
    (group / place / "cgroup.procs").write_text(f"{os.getpid()}\n{guest}\n")
    assert container.init_of((empty, group)) == guest


def test_a_host_without_such_a_process_is_off(tmp_path: Path) -> None:
    group = tmp_path / "edge"
    (group / "payload").mkdir(parents=True)
    assert container.init_of((group,)) is None
    ended = subprocess.Popen(("true",))
    ended.wait()
    (group / "payload" / "cgroup.procs").write_text(f"{ended.pid}\n{os.getpid()}\n")
    assert container.init_of((group,)) is None
