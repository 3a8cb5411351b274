"""The runtime's environment: ours, whole, and nobody else's to write."""

from himari.catalog.hostpaths import RUNTIME, RUNTIME_VENV
from himari.proof.checks import Observed, check, found
from himari.proof.probe import Probe


@check("runtime.installed", "the runtime is installed", replaces="4.2: install the collector")
def test_installed(probe: Probe, observed: Observed) -> None:
    state = found(probe.file(RUNTIME), f"{RUNTIME} is missing")
    observed(f"{RUNTIME} {state.sha256[:12]}")
    assert state.mode & 0o111, "it cannot be run"


@check("runtime.root-owned", "no service can change the program that it runs")
def test_root_owned(probe: Probe, observed: Observed) -> None:
    for path in (RUNTIME_VENV, RUNTIME):
        state = found(probe.file(path), f"{path} is missing")
        assert observed(f"{state.owner}:{state.group}") == "root:root"
