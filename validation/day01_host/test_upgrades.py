"""Security upgrades come by themselves and stop nothing of ours."""

from himari.proof import readings
from himari.proof.checks import Case, Observed, check
from himari.proof.probe import Probe
from himari.proof.subject import Subject

CARRIERS = ("redis-server", "wg-quick@", "himari-")
UNSIGNED = (
    "APT::Get::AllowUnauthenticated",
    "Acquire::AllowInsecureRepositories",
    "Acquire::AllowWeakRepositories",
    "Acquire::AllowDowngradeToInsecureRepositories",
)


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


@check("upgrades.signed", "nothing is installed that Debian did not sign")
def test_signed(probe: Probe, observed: Observed) -> None:
    loose = [name for name in UNSIGNED if " ".join(probe.apt.get(name, ())) in ("1", "true", "yes")]
    sources = readings.sources(probe.raw.commands["sources"].out)
    trusted = [line for line in sources if readings.unsigned(line)]
    archives = [line for line in sources if line.startswith(("deb ", "URIs:"))]
    observed([*loose, *trusted] or f"{len(archives)} archives, each signed")
    assert archives, "apt knows no archive: nothing would be upgraded"
    assert not loose, f"{', '.join(loose)} in /etc/apt/apt.conf.d"
    assert not trusted, f"{'; '.join(trusted)} in /etc/apt/sources.list.d needs no signature"


@check("upgrades.leaves-ours", "an upgraded library restarts nothing that carries the data")
def test_nothing_of_ours_is_restarted(case: Case, probe: Probe, observed: Observed, subject: Subject) -> None:
    ours = {unit for unit in subject.units(case.host) if unit.startswith(CARRIERS) and unit.endswith(".service")}
    decisions = {unit: probe.needrestart.get(unit, "1") for unit in sorted(ours)}
    observed([f"{unit} {'is left alone' if value == '0' else 'is restarted'}" for unit, value in decisions.items()])
    assert decisions, "the host has no unit of ours"
    assert set(decisions.values()) == {"0"}, "/etc/needrestart/conf.d/himari.conf shall name them"
