import pytest

from himari.ssh.connection import fingerprint, reach, unreachable
from himari.stack.errors import HostError
from himari.stack.paths import StateDir
from tests.unit.ssh.conftest import HOST_KEY, KNOWN


def test_this_machine_is_reached_without_ssh(state: StateDir) -> None:
    result = reach("brain", KNOWN, state).run(["sh", "-c", "cat; exit 3"], b"over stdin")
    assert (result.code, result.out) == (3, "over stdin")


def test_a_host_that_nobody_met_is_an_error_with_the_next_command(state: StateDir) -> None:
    with pytest.raises(HostError) as error:
        reach("exchange", KNOWN, state)
    assert "himari up" in error.value.hint
    assert error.value.where == "exchange"


def test_a_command_that_takes_too_long_is_the_hosts_error(state: StateDir) -> None:
    with pytest.raises(HostError, match="no answer within") as error:
        reach("brain", KNOWN, state).run(["sleep", "5"], timeout=0.1)
    assert error.value.hint
    assert "sleep" not in str(error.value)  # what was sent is a program, which tells an operator nothing


@pytest.mark.parametrize(
    ("said", "what", "expected"),
    [
        ("Host key verification failed.", "its ssh host key is not the pinned one", fingerprint(HOST_KEY)),
        ("himari@192.0.2.7: Permission denied (publickey).", "192.0.2.7:2222 refuses the operator's key", "a login"),
        ("ssh: connect to host: Connection refused", "192.0.2.7:2222 cannot be reached", "an ssh server"),
    ],
)
def test_what_ssh_says_is_told_with_host_and_expectation(said: str, what: str, expected: str) -> None:
    error = unreachable("edge", KNOWN["edge"], said)
    assert error.what.startswith(what)
    assert error.expected.startswith(expected)
    assert error.where == "edge"
    assert error.hint
