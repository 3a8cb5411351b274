"""How `make setup` installs packages; apt is a stand-in that looks at what holds services back meanwhile."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from himari.apply.agent import packages
from himari.apply.agent.places import Places
from himari.stack.paths import PROJECT

APT_GET = '#!/bin/sh\ncase " $* " in *" install "*) cp "${0%/*}/../policy" "${0%/*}/../seen";; *) exit 0;; esac\n'


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder with the Makefile, on a machine that lacks all packages."""
    shutil.copy(PROJECT / "Makefile", tmp_path)
    program(tmp_path, "dpkg-query", "#!/bin/sh\nexit 1\n")
    program(tmp_path, "apt-get", APT_GET)
    return tmp_path


def program(machine: Path, name: str, text: str) -> None:
    path = machine / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def setup(machine: Path) -> int:
    """The exit code of the part of `make setup` that installs packages, whatever signals our caller ignores."""
    path = {"PATH": f"{machine / 'bin'}:{os.environ['PATH']}"}
    argv = ("env", "--default-signal", "make", "--silent", ".venv/.debs", f"POLICY={machine / 'policy'}")
    return subprocess.run(argv, cwd=machine, env=path, capture_output=True, check=False).returncode


@pytest.mark.parametrize(("given", "times"), [((), 2), (("REPEAT=4",), 4)])
def test_a_soak_repeats_each_drill_as_often_as_told_and_twice_by_itself(given: tuple[str, ...], times: int) -> None:
    argv = ("make", "--dry-run", "soak", *given)
    told = subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert f"drill all lab-edge --repeat {times} \n" in told


def test_what_is_installed_starts_no_service_and_what_comes_later_does(machine: Path) -> None:
    assert setup(machine) == 0
    assert (machine / "seen").read_text().endswith("\nexit 101\n")
    assert os.access(machine / "seen", os.X_OK)
    assert not (machine / "policy").exists()


def test_a_failing_installation_fails_and_lets_services_start_again(machine: Path) -> None:
    program(machine, "apt-get", APT_GET + "exit 100\n")
    assert setup(machine) != 0
    assert not (machine / "policy").exists()
    assert not (machine / ".venv" / ".debs").exists()


@pytest.mark.parametrize("signal", ["INT", "TERM", "HUP"])
def test_an_installation_that_is_stopped_lets_services_start_again(machine: Path, signal: str) -> None:
    program(machine, "apt-get", APT_GET + f"kill -{signal} $PPID\n")
    assert setup(machine) != 0
    assert (machine / "seen").exists()
    assert not (machine / "policy").exists()


@pytest.mark.parametrize("missing", [True, False])
def test_what_a_killed_installation_left_is_known_as_our_own(machine: Path, missing: bool) -> None:
    program(machine, "apt-get", APT_GET + "kill -KILL $PPID\n")
    setup(machine)
    assert (machine / "policy").exists()
    program(machine, "apt-get", APT_GET)
    if not missing:
        program(machine, "dpkg-query", "#!/bin/sh\necho install ok installed\n")
    assert setup(machine) == 0
    assert not (machine / "policy").exists()


def test_what_a_killed_activation_on_this_machine_left_is_known_as_our_own(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{machine / 'bin'}:{os.environ['PATH']}")
    packages.install(["redis-server"], Places(policy=machine / "policy"))
    shutil.move(machine / "seen", machine / "policy")
    assert setup(machine) == 0
    assert not (machine / "policy").exists()


def test_what_somebody_else_says_of_services_stays(machine: Path) -> None:
    (machine / "policy").write_text("#!/bin/sh\nexit 101\n")
    assert setup(machine) == 0
    assert (machine / "policy").read_text() == "#!/bin/sh\nexit 101\n"
