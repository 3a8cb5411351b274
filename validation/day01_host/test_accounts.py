"""Who may log in, and as what."""

from himari.proof.checks import Observed, check
from himari.proof.probe import Probe

SYSTEM_UID = 1000  # below it are accounts of the system


@check("accounts.root-locked", "root has no password to guess", replaces="day 1, step 1.1: ssh root@")
def test_root_has_no_password(probe: Probe, observed: Observed) -> None:
    assert observed(probe.passwords.get("root", "")) in ("L", "LK", "NP"), "root has a usable password"
    assert probe.passwords["root"] != "NP", "root logs in without a password"


@check("accounts.no-empty-password", "no account logs in without a password")
def test_no_empty_passwords(probe: Probe, observed: Observed) -> None:
    assert observed([name for name, state in probe.passwords.items() if state == "NP"]) == []


@check("accounts.one-root", "only root has user id 0")
def test_only_root_is_root(probe: Probe, observed: Observed) -> None:
    assert observed([name for name, account in probe.accounts.items() if account.uid == 0]) == ["root"]


@check("accounts.people", "nobody may log in but the operator's user", severity="warning")
def test_nobody_else_logs_in(probe: Probe, observed: Observed) -> None:
    people = {
        name
        for name, account in probe.accounts.items()
        if account.uid >= SYSTEM_UID and not account.shell.endswith(("nologin", "false"))
    }
    assert observed(people) <= {"himari", "admin", "debian"}
