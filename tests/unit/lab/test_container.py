"""The argument vectors that boot and enter a host."""

from pathlib import Path

from himari.lab import container
from himari.lab.identity import Lab

LAB = Lab("hm-0a1b2c")


def test_under_systemd_a_unit_that_delegates_keeps_the_host_and_boots_it_again() -> None:
    nspawn = container.nspawn_argv(LAB, "edge", Path("/labs/edge/root"))
    argv = container.unit_argv(LAB, "edge", nspawn, Path("/labs/edge/console.log"))
    assert argv[0] == "systemd-run"
    assert "--unit=hm-0a1b2c-edge" in argv
    assert {"--property=Delegate=yes", "--property=RestartForceExitStatus=133"} <= set(argv)
    assert argv[argv.index("--") + 1 :] == nspawn


def test_under_systemd_a_build_runs_in_a_scope_of_the_labs_name() -> None:
    argv = container.scope_argv(LAB, ("mmdebstrap",), 7, systemd=True)
    assert argv == ("systemd-run", "--scope", "--quiet", "--collect", "--unit=hm-0a1b2c-.build", "--", "mmdebstrap")


def test_the_container_boots_in_the_namespace_made_for_it() -> None:
    argv = container.nspawn_argv(LAB, "edge", Path("/labs/edge/root"))
    assert "--network-namespace-path=/run/netns/hm-0a1b2c-edge" in argv
    assert "--machine=hm-0a1b2c-edge" in argv
    assert "--hostname=edge" in argv
