"""Security upgrades come by themselves and stop nothing of ours."""

from himari.proof.checks import Observed, check
from himari.proof.probe import Probe


@check("upgrades.daily", "security upgrades are installed daily", replaces="day 1, step 1.1: apt upgrade")
def test_daily(probe: Probe, observed: Observed) -> None:
    names = ("APT::Periodic::Update-Package-Lists", "APT::Periodic::Unattended-Upgrade")
    assert observed([" ".join(probe.apt.get(name, ("unset",))) for name in names]) == ["1", "1"]


@check("upgrades.security-only", "nothing but security upgrades is installed unasked")
def test_security_only(probe: Probe, observed: Observed) -> None:
    origins = [
        origin
        for name in ("Unattended-Upgrade::Origins-Pattern", "Unattended-Upgrade::Allowed-Origins")
        for origin in probe.apt.get(name, ())
    ]
    observed(origins)
    assert origins, "no origin is allowed: nothing would be installed"
    assert all("ecurity" in origin for origin in origins)


@check("upgrades.no-reboot", "an upgrade does not reboot the host")
def test_no_reboot(probe: Probe, observed: Observed) -> None:
    assert observed(" ".join(probe.apt.get("Unattended-Upgrade::Automatic-Reboot", ("false",)))) == "false"
