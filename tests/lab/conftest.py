"""A stack in the lab, brought up by the real command in a state folder of its own; images and wheels are shared."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from xdist.scheduler import LoadScopeScheduling

from himari.lab import faults, lab
from himari.lab.standing import Standing, standing
from himari.proof.remote import Remote
from himari.runs.report import UpReport
from himari.ssh import connection
from himari.stack.known import read_known
from himari.stack.load import load_stack
from himari.stack.paths import PROJECT, StateDir
from tests.lab import broken
from tests.lab.rented import Rented
from tests.lab.rented import rented as make_rented

HIMARI = str(PROJECT / ".venv" / "bin" / "himari")
STACK = "lab-edge"
# The modules that share a lab which stays up: one worker has them, as each worker would bring up its own.
SHARED = {
    "lab-edge": ("test_spine", "test_planted", "test_hardening", "test_cutover", "test_drills"),
    "rented": ("test_static", "test_guard"),
    "broken": ("test_faults_between_hosts", "test_faults_of_hosts", "test_faults_undone"),
}


class OwnLab:
    """A lab of a shipped stack under a state folder of its own, driven as its operator would."""

    def __init__(self, root: Path, stack: str = STACK) -> None:
        self.root = root
        self.stack = load_stack(stack)
        self.state = StateDir(root / stack)

    def himari(self, *arguments: str, seconds: float = 400) -> subprocess.CompletedProcess[str]:
        """Run the command and give back how it ended, whatever that was."""
        return subprocess.run(
            (HIMARI, *arguments), env=self.environment, capture_output=True, text=True, timeout=seconds, check=False
        )

    def typed(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run a line of the docs as it stands, in the checkout; nobody is at a terminal."""
        environment = self.environment | {"PATH": f"{PROJECT / '.venv' / 'bin'}:{os.environ['PATH']}"}
        return subprocess.run(
            ["sh", "-c", line],
            env=environment,
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def up(self, *options: str) -> UpReport:
        """`himari up --json`, which must end green."""
        done = self.himari("up", self.stack.name, *options, "--json")
        assert done.returncode == 0, done.stderr[-4000:] + done.stdout[-2000:]
        return msgspec.json.decode(done.stdout, type=UpReport)

    def inside(self, host: str, command: str) -> str:
        """Standard output of a shell command that succeeds as root on `host`, without ssh."""
        argv = lab.exec_argv(self.stack.name, host, ("sh", "-ec", command), self.state)
        return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout

    def remote(self) -> Remote:
        """The hosts over ssh, as the proof reaches them."""
        return Remote(self.stack, read_known(self.state.hosts), self.state.ssh / "config")

    def begin(self, *arguments: str) -> "subprocess.Popen[str]":
        """The command, which goes on; what it says on stdout can be read line by line."""
        return subprocess.Popen((HIMARI, *arguments), env=self.environment, stdout=subprocess.PIPE, text=True)

    def destroy(self) -> None:
        """Remove it, whatever state it is in; nothing may be left."""
        connection.close(read_known(self.state.hosts), self.state)
        assert lab.destroy(self.stack.name, self.state) == []

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"HIMARI_STATE": str(self.root)}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--recording", type=Path, default=None, help="also run the lab on this recording of a venue")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "recording: needs --recording; left out, and counted as such, without it")


class ByLab(LoadScopeScheduling):
    """Gives each worker a lab's tests, in their order."""

    def _split_scope(self, nodeid: str) -> str:
        module = Path(nodeid.split("::", maxsplit=1)[0]).stem
        return next((lab_name for lab_name, modules in SHARED.items() if module in modules), module)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByLab:
    return ByLab(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--recording") is None:
        left_out = [item for item in items if item.get_closest_marker("recording")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def lab_edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnLab]:
    """The session's stack, not yet brought up; destroyed at the end, whatever happened."""
    edge = OwnLab(tmp_path_factory.mktemp("state"))
    yield edge
    edge.destroy()


@pytest.fixture(scope="session")
def first_up(lab_edge: OwnLab) -> UpReport:
    """What the `up` from nothing reported; the hosts run from here on."""
    return lab_edge.up()


@pytest.fixture(scope="session")
def rented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rented]:
    """Machines that exist already, and a stack file that names them."""
    with make_rented(tmp_path_factory.mktemp("rented")) as machines:
        yield machines


@pytest.fixture(scope="session")
def rented_up(rented: Rented) -> UpReport:
    """What the first `up` on them reported; the stack runs from here on."""
    return rented.up()


@pytest.fixture(scope="session")
def broken_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StateDir]:
    state = StateDir(tmp_path_factory.mktemp("faults") / broken.STACK)
    yield state
    assert lab.destroy(broken.STACK, state) == []


@pytest.fixture(scope="session")
def broken_hosts(broken_state: StateDir) -> Standing:
    """The lab on which faults are made, one after the other; its hosts are bare."""
    lab.up(broken.SPEC, broken_state, lambda _host, _says: None)
    return standing(broken.STACK, broken_state)


@pytest.fixture
def on(broken_hosts: Standing) -> Iterator[Standing]:
    """The same, with no fault in force before and after."""
    assert faults.active(broken_hosts) == ()
    yield broken_hosts
    faults.heal(broken_hosts)
