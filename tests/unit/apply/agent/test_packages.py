"""Installing packages; apt and dpkg are stand-ins."""

import os
from dataclasses import asdict
from pathlib import Path

import pytest

from himari.apply.agent import packages
from himari.apply.agent.command import StepError
from himari.apply.agent.main import answer
from himari.apply.agent.places import Places
from himari.apply.agent.wire import Activation

SEES = '#!/bin/sh\ncp "${0%/*}/../policy" "${0%/*}/../seen"\n'


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """A host whose apt notes what holds services back meanwhile."""
    for name, text in {"apt-get": SEES, "dpkg": "#!/bin/sh\nexit 1\n"}.items():
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(text)
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    folders = {name: tmp_path / name for name in ("run", "lib", "etc", "system", "wheels", "environments", "policy")}
    return Places(**folders)


def test_packages_are_installed_while_no_service_may_start(places: Places, tmp_path: Path) -> None:
    packages.install(["redis-server"], places)
    assert (tmp_path / "seen").read_text().endswith("exit 101\n")
    assert os.access(tmp_path / "seen", os.X_OK)
    assert not places.policy.exists()


def test_services_may_start_again_when_it_fails(places: Places, tmp_path: Path) -> None:
    (tmp_path / "bin" / "apt-get").write_text("#!/bin/sh\nexit 100\n")
    with pytest.raises(StepError):
        packages.install(["redis-server"], places)
    assert not places.policy.exists()


def test_any_activation_lets_services_start_that_a_killed_one_held_back(places: Places, tmp_path: Path) -> None:
    packages.install(["redis-server"], places)
    places.policy.write_text((tmp_path / "seen").read_text())
    assert answer("activate", asdict(Activation()), places)["failure"] is None
    assert not places.policy.exists()


def test_what_somebody_else_says_of_services_stays(places: Places) -> None:
    places.policy.write_text("#!/bin/sh\nexit 101\n")
    answer("activate", asdict(Activation()), places)
    packages.install(["redis-server"], places)
    assert places.policy.read_text() == "#!/bin/sh\nexit 101\n"
