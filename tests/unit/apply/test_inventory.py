import runpy
from pathlib import Path

import pytest

from himari.apply.access import admit_operator
from himari.apply.inventory import native_hosts
from himari.stack.known import KnownHost, write_known
from himari.stack.load import load_stack
from himari.stack.paths import DEPLOY, StateDir


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateDir:
    monkeypatch.setenv("HIMARI_STATE", str(tmp_path))
    monkeypatch.setenv("HIMARI_STACK", "lab-edge")
    return StateDir.of("lab-edge")


def test_native_pyinfra_gets_addresses_and_pinned_keys(state: StateDir) -> None:
    write_known(state.hosts, {"edge": KnownHost(address="192.0.2.7"), "brain": KnownHost(address="local")})
    (edge, about), (brain, local) = native_hosts()
    assert (edge, about["ssh_hostname"], about["ssh_strict_host_key_checking"]) == ("edge", "192.0.2.7", "yes")
    assert (brain, local) == ("@local", {"himari_host": "brain"})


def test_without_known_hosts_the_command_that_meets_them_is_named(state: StateDir) -> None:
    with pytest.raises(SystemExit, match="run: himari up lab-edge"):
        native_hosts()


def test_without_a_stack_the_variable_is_named(state: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HIMARI_STACK")
    with pytest.raises(SystemExit, match="HIMARI_STACK is not set"):
        native_hosts()


@pytest.mark.parametrize("path", sorted(DEPLOY.glob("day*.py")), ids=lambda path: path.stem)
def test_a_deploy_file_outside_of_pyinfra_does_nothing(path: Path, state: StateDir) -> None:
    assert runpy.run_path(str(path))["ROLES"]
    assert not state.path.exists()


def test_a_labs_hosts_admit_this_machine_by_the_address_that_they_see() -> None:
    stack = load_stack("lab-edge")
    admitted = admit_operator(stack, {"edge": KnownHost(address="127.0.0.9")})
    assert admitted.access.ssh_from == ("127.0.0.1/32",)
    assert admit_operator(admitted, {"edge": KnownHost(address="127.0.0.9")}) == admitted


def test_a_stack_of_real_machines_is_left_as_its_file_says() -> None:
    stack = load_stack("vps-brain")
    assert admit_operator(stack, {"edge": KnownHost(address="127.0.0.9")}) == stack
