"""A way to a port; that over a real ssh is tried in the lab."""

import subprocess
import sys
from pathlib import Path

import pytest

from himari.ssh.connection import Reach
from himari.ssh.forward import forwarded
from himari.stack.errors import HostError, MachineError
from himari.stack.known import KnownHost
from tests.unit.ssh.conftest import KNOWN

# Says what ssh would, after what ssh would do; its own process waits for the end of its input.
SSH = """#!{python}
import sys
{body}
"""


def reach(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: str) -> Reach:
    (tmp_path / "ssh").write_text(SSH.format(python=sys.executable, body=body))
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return Reach("edge", KNOWN["edge"], tmp_path / "config")


def test_this_machines_own_ports_need_no_way() -> None:
    with forwarded(Reach("brain", KnownHost(address="local"), Path("none")), "10.77.0.2", 9465) as door:
        assert (door.address, door.port, door.process) == ("10.77.0.2", 9465, None)


def test_the_way_lasts_as_long_as_the_block(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    at = reach(monkeypatch, tmp_path, "print('ready', flush=True); sys.stdin.read()")
    with forwarded(at, "10.77.0.3", 6380) as door:
        process: subprocess.Popen[str] | None = door.process
        assert process is not None
        assert process.poll() is None
        assert f"127.0.0.1:{door.port}:10.77.0.3:6380" in process.args  # type: ignore[operator]  # a list of texts
    assert process.poll() == 0


def test_a_host_that_is_not_reached_is_told_as_such(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    at = reach(monkeypatch, tmp_path, "sys.exit('ssh: connect to host 192.0.2.7 port 22: Connection refused')")
    with pytest.raises(HostError, match="cannot be reached"), forwarded(at, "10.77.0.3", 6380):
        pass


def test_a_port_here_that_is_taken_is_told_as_such(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    at = reach(monkeypatch, tmp_path, "sys.exit('bind [127.0.0.1]:6380: Address already in use')")
    with pytest.raises(MachineError, match="port 6380 is taken"), forwarded(at, "10.77.0.3", 6380, local_port=6380):
        pass
