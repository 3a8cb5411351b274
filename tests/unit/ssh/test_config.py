import subprocess
from pathlib import Path

import msgspec
import pytest

from himari.ssh.config import write_config
from himari.ssh.connection import close, reach
from himari.stack.load import load_stack
from himari.stack.model import Access
from himari.stack.paths import StateDir
from tests.unit.ssh.conftest import HOST_KEY, KNOWN


@pytest.fixture
def config(state: StateDir) -> dict[str, str]:
    """What ssh itself makes of our configuration for the edge."""
    stack = load_stack("lab-edge")
    stack = msgspec.structs.replace(stack, access=Access(identity_file="~/key"))
    path = write_config(stack, KNOWN, state)
    said = subprocess.run(["ssh", "-F", str(path), "-G", "edge"], capture_output=True, text=True, check=True).stdout
    return dict(line.split(" ", 1) for line in said.splitlines())


def test_ssh_goes_to_the_known_address_with_the_pinned_key(config: dict[str, str], state: StateDir) -> None:
    assert (config["hostname"], config["port"], config["user"]) == ("192.0.2.7", "2222", "himari")
    assert config["stricthostkeychecking"] == "true"
    assert config["userknownhostsfile"] == str(state.ssh / "known_hosts")
    assert config["identityfile"] == str(Path.home() / "key")
    asked = ["ssh-keygen", "-F", "[192.0.2.7]:2222", "-f", config["userknownhostsfile"]]
    assert HOST_KEY in subprocess.run(asked, capture_output=True, text=True, check=True).stdout


def test_the_control_path_fits_a_socket_however_deep_the_state_lies(config: dict[str, str], state: StateDir) -> None:
    path = Path(config["controlpath"])
    assert len(str(path)) < 90
    reach("edge", KNOWN, state)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    close(KNOWN, state)
    assert not path.parent.exists()


def test_only_the_operator_reads_the_configuration(config: dict[str, str], state: StateDir) -> None:
    assert config["passwordauthentication"] == "no"
    assert {path.stat().st_mode & 0o777 for path in state.ssh.iterdir()} == {0o600}
