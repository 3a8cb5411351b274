"""Changes that lock the operator out: the host puts the old state back by itself, and the run says so.

Each test leaves the machines as it found them; they are those of `test_static`."""

import subprocess
import sys
from functools import partial

from himari.drills.field import await_
from himari.drills.guarded import GUARDS, activate, login
from himari.lab import lab
from himari.runs.report import UpReport
from himari.ssh.connection import Reach
from himari.stack.known import read_known
from tests.lab.rented import MACHINES, Rented, machines_state

WAIT_SECONDS = 90  # more than a guard waits
FIREWALL = "/etc/himari/firewall.nft"
SSHD = "/etc/ssh/sshd_config.d/00-himari.conf"


def test_a_firewall_that_drops_ssh_is_undone_and_the_run_says_so(rented: Rented, rented_up: UpReport) -> None:
    whole, before = rented.file.read_text(), rented.inside("edge", f"cat {FIREWALL}")
    rented.rewrite(whole.split("ssh_from = ")[1].split("\n")[0], '["198.51.100.7/32"]')
    done = rented.himari("up", str(rented.file))
    rented.file.write_text(whole)
    assert done.returncode == 6, done.stderr
    assert "no fresh login succeeded after the guarded change" in done.stderr
    assert "puts the old state back 60 s after the change" in done.stderr
    assert await_(lambda: rented.inside("edge", f"cat {FIREWALL}") == before, WAIT_SECONDS)
    assert await_(lambda: _login(rented).returncode == 0, WAIT_SECONDS)
    assert await_(lambda: rented.inside("edge", f"ls {GUARDS}") == "", WAIT_SECONDS)  # it is done with all of it


def test_an_sshd_that_lets_nobody_in_is_undone(rented: Rented, rented_up: UpReport) -> None:
    before = rented.inside("edge", f"cat {SSHD}")
    token = _activate(rented, SSHD, before.replace("AllowUsers himari", "AllowUsers nobody"), "ssh.service", seconds=8)
    assert "Permission denied" in _login(rented).stderr
    assert await_(lambda: rented.inside("edge", f"cat {SSHD}") == before, WAIT_SECONDS)
    assert await_(lambda: _login(rented).returncode == 0, WAIT_SECONDS)
    assert await_(lambda: token not in rented.inside("edge", f"ls {GUARDS} /etc/systemd/system"), WAIT_SECONDS)


def test_a_reboot_confirms_nothing(rented: Rented, rented_up: UpReport) -> None:
    before = rented.inside("edge", f"cat {FIREWALL}")
    closed = before.replace("jump ssh", "drop")
    token = _activate(rented, FIREWALL, closed, "himari-firewall.service", seconds=60)
    assert _login(rented).returncode == 255
    state = machines_state(rented.root)
    lab.power_off(MACHINES, "edge", state)
    lab.power_on(MACHINES, "edge", state)  # returns once ssh greets, so the closed firewall is gone
    assert await_(lambda: rented.inside("edge", f"cat {FIREWALL}") == before, WAIT_SECONDS)
    assert await_(lambda: _login(rented).returncode == 0, WAIT_SECONDS)
    assert await_(lambda: token not in rented.inside("edge", f"ls {GUARDS} /etc/systemd/system"), WAIT_SECONDS)


def test_an_up_after_a_killed_one_confirms_what_a_fresh_login_proves(rented: Rented, rented_up: UpReport) -> None:
    text = rented.inside("edge", f"cat {FIREWALL}")
    token = _activate(rented, FIREWALL, text, "himari-firewall.service", seconds=60)
    assert token in rented.inside("edge", f"ls {GUARDS}")
    rented.up()
    assert token not in rented.inside("edge", f"ls {GUARDS}")


def test_a_host_that_cannot_load_its_firewall_is_closed_but_for_the_operators_ssh(
    rented: Rented, rented_up: UpReport
) -> None:
    rented.inside("edge", f"truncate --size=-20 {FIREWALL}")
    state = machines_state(rented.root)
    lab.power_off(MACHINES, "edge", state)
    lab.power_on(MACHINES, "edge", state)
    rented.inside("edge", "systemd-run --quiet --unit=stranger python3 -m http.server 47111")
    assert await_(lambda: "47111" in rented.inside("edge", "ss -Hltn"), WAIT_SECONDS)
    assert _login(rented).returncode == 0
    assert {port: _from_outside(rented, port) for port in (6379, 9464, 47111)} == dict.fromkeys(
        (6379, 9464, 47111), "timed out"
    )
    rented.inside("edge", "systemctl stop stranger")
    assert await_(lambda: "himari-firewall.service is failed" in rented.himari("status", str(rented.file)).stdout, 60)
    assert rented.himari("status", str(rented.file)).returncode == 7
    mended = rented.up().changed
    assert [what for what in mended if FIREWALL in what]
    assert "active" in rented.inside("edge", "systemctl is-active himari-firewall.service")


def _from_outside(rented: Rented, port: int) -> str:
    """What a stranger meets at a port of the edge; without a firewall it would be refused or answered."""
    address = rented.machines["edge"].address
    probe = f"import socket; socket.create_connection(({address!r}, {port}), timeout=2)"
    argv = lab.outside_argv(MACHINES, (sys.executable, "-c", probe), machines_state(rented.root))
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stderr.strip().splitlines()[-1].rpartition(": ")[2] if done.returncode else "connected"


def _activate(rented: Rented, path: str, text: str, unit: str, seconds: int) -> str:
    """An activation of one guarded file and its unit, by a run that is gone before it could confirm; its token."""
    return activate(_reach(rented), partial(rented.inside, "edge"), path, text, unit, seconds=seconds)


def _reach(rented: Rented) -> Reach:
    return Reach("edge", read_known(rented.state.hosts)["edge"], rented.state.ssh / "config")


def _login(rented: Rented) -> subprocess.CompletedProcess[str]:
    return login(_reach(rented))
