"""Hosts on this machine: made, left alone, killed half way, rebooted, and gone without a trace."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from himari.lab import lab, orphans
from himari.lab.identity import Lab
from himari.lab.lab import LabHostSpec, LabSpec
from himari.stack.paths import StateDir

SPEC = LabSpec(stack_name="trace", hosts=(LabHostSpec(name="one"), LabHostSpec(name="two")))
FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
DRIVER = """
import sys
from pathlib import Path
from himari.lab import lab, orphans
from himari.stack.paths import StateDir
hosts = tuple(lab.LabHostSpec(name=name) for name in ("one", "two"))
spec = lab.LabSpec(stack_name="trace", hosts=hosts)
lab.up(spec, StateDir(Path(sys.argv[1])), lambda host, says: None)
"""


def quiet(_host: str, _says: str) -> None:
    """A report that nobody reads."""


def output(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def told(argv: tuple[str, ...]) -> str:
    return output(*argv).strip()


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateDir]:
    state = StateDir(tmp_path / "trace")
    yield state
    lab.destroy("trace", state)


def test_up_makes_hosts_that_systemd_runs_and_a_second_up_leaves_them_alone(state: StateDir) -> None:
    met = lab.up(SPEC, state, quiet)
    before = pids(state)
    assert lab.up(SPEC, state, quiet) == met
    assert pids(state) == before
    assert set(before) == {"one", "two"}
    assert told(lab.exec_argv("trace", "one", ("systemctl", "is-system-running", "--wait"), state)) == "running"
    assert told(lab.exec_argv("trace", "one", ("getent", "hosts", "two"), state)).split()[0] == met["two"].address


def test_a_lab_whose_state_was_deleted_while_it_ran_is_an_orphan_that_can_be_removed(state: StateDir) -> None:
    lab.up(SPEC, state, quiet)
    shutil.rmtree(state.path)
    own = Lab.of("trace", state)
    assert {one.state for one in lab.list_labs() if one.lab == own.id and one.orphan} == {"running"}
    [orphan] = [one for one in orphans.orphans() if one.lab == own.id]
    assert orphans.remove(orphan) == []
    assert lab.remains("trace", state) == []


def test_a_rebooted_host_comes_back_by_itself(state: StateDir) -> None:
    lab.up(SPEC, state, quiet)
    boot_id = ("cat", "/proc/sys/kernel/random/boot_id")
    before, pid = told(lab.exec_argv("trace", "one", boot_id, state)), pids(state)["one"]
    subprocess.run(lab.exec_argv("trace", "one", ("systemctl", "reboot"), state), check=False, capture_output=True)
    deadline = time.monotonic() + 30
    while pids(state)["one"] in {None, pid}:
        assert time.monotonic() < deadline
    assert told(lab.exec_argv("trace", "one", boot_id, state)) != before


def test_a_host_without_power_is_off_and_keeps_its_files(state: StateDir) -> None:
    lab.up(SPEC, state, quiet)
    output(*lab.exec_argv("trace", "one", ("sh", "-c", "echo kept >/root/note"), state))
    lab.power_off("trace", "one", state)
    assert pids(state)["one"] is None
    lab.power_on("trace", "one", state)
    assert told(lab.exec_argv("trace", "one", ("cat", "/root/note"), state)) == "kept"


def test_outside_is_a_neighbour_that_is_no_host(state: StateDir) -> None:
    met = lab.up(SPEC, state, quiet)
    argv = ("ip", "-4", "-o", "route", "get", met["one"].address)
    source = told(lab.outside_argv("trace", argv, state)).split("src ")[1].split()[0]
    assert source == lab.outside_address("trace", state)
    assert source not in {host.address for host in met.values()}


@pytest.mark.parametrize("attempt", range(2))
def test_nothing_remains_of_a_killed_up(state: StateDir, attempt: int) -> None:
    lab.up(SPEC, state, quiet)  # the image is there from here on
    lab.destroy("trace", state)
    alone, forward = not bridges(), FORWARD.read_text()
    seconds = random.uniform(0.1, 2.0)
    with subprocess.Popen((sys.executable, "-c", DRIVER, str(state.path))) as driver:
        time.sleep(seconds)  # the moment itself is what is tried, whatever the run does then
        os.kill(driver.pid, signal.SIGKILL)
    if attempt % 2:
        lab.up(SPEC, state, quiet)
        assert pids(state)["one"] is not None
    assert lab.destroy("trace", state) == [], f"killed after {seconds:.2f} s"
    assert trace(state) == []
    # Another lab of this machine needs it, which may come meanwhile, or go.
    if bridges():
        assert FORWARD.read_text() == "1\n"
    elif alone:
        assert FORWARD.read_text() == forward


def bridges() -> list[Path]:
    """Those of all labs of this machine."""
    return list(Path("/sys/class/net").glob("hm-*-br"))


def trace(state: StateDir) -> list[str]:
    """Whatever bears the lab's id, looked for without any of the lab's own code."""
    identity = Lab.of("trace", state).id
    texts = (
        Path("/proc/self/mountinfo").read_text(),
        output("ip", "-o", "link"),
        output("ip", "netns", "list"),
        output("nft", "list", "tables"),
        output("ps", "-eo", "args"),
        output("find", "/sys/fs/cgroup", "/run/himari", "/run/systemd/nspawn", "-name", f"{identity}*"),
    )
    return [line for text in texts for line in text.splitlines() if identity in line and "find /sys" not in line]


def pids(state: StateDir) -> dict[str, int | None]:
    """The PID 1 of each host of this test's lab, None where it is off."""
    ours = Lab.of("trace", state).id
    return {status.host: status.pid for status in lab.list_labs() if status.lab == ours}
