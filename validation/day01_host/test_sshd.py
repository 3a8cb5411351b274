"""What sshd does, as it says itself (`sshd -T`), whatever its files say."""

from himari.proof.checks import Observed, check
from himari.proof.probe import Probe

WEAK = ("sha1", "md5", "-cbc", "3des", "arcfour", "group1-", "group14-sha1", "umac-64")


@check("sshd.no-passwords", "ssh accepts no password")
def test_no_passwords(probe: Probe, observed: Observed) -> None:
    assert observed(probe.sshd["passwordauthentication"]) == "no"


@check("sshd.no-keyboard", "ssh asks for nothing on the keyboard")
def test_no_keyboard_interactive(probe: Probe, observed: Observed) -> None:
    assert observed(probe.sshd["kbdinteractiveauthentication"]) == "no"


@check("sshd.keys", "ssh accepts keys")
def test_keys(probe: Probe, observed: Observed) -> None:
    assert observed(probe.sshd["pubkeyauthentication"]) == "yes"


@check("sshd.no-root", "root cannot log in over ssh", replaces="prerequisites: root SSH access confirmed")
def test_no_root_login(probe: Probe, observed: Observed) -> None:
    assert observed(probe.sshd["permitrootlogin"]) == "no"


@check("sshd.allowed-users", "ssh knows one user only")
def test_allowed_users(probe: Probe, observed: Observed) -> None:
    assert "himari" in observed(probe.sshd.get("allowusers", "anybody")).split()
    assert probe.sshd.get("allowusers") == "himari"


@check("sshd.no-forwarding-of-agents", "the operator's agent and screen are not forwarded")
def test_no_agent_nor_x11(probe: Probe, observed: Observed) -> None:
    forwarded = {name: probe.sshd[name] for name in ("allowagentforwarding", "x11forwarding")}
    assert set(observed(list(forwarded.values()))) == {"no"}


@check("sshd.no-tunnels", "ssh carries no network device")
def test_no_tunnels(probe: Probe, observed: Observed) -> None:
    assert observed(probe.sshd["permittunnel"]) == "no"


@check("sshd.tries", "a connection may guess at most three times")
def test_few_tries(probe: Probe, observed: Observed) -> None:
    assert int(observed(probe.sshd["maxauthtries"])) <= 3


@check("sshd.grace", "who does not log in is cut off within 30 s")
def test_short_grace(probe: Probe, observed: Observed) -> None:
    assert 0 < int(observed(probe.sshd["logingracetime"])) <= 30


@check("sshd.algorithms", "ssh offers no weak algorithm")
def test_algorithms(probe: Probe, observed: Observed) -> None:
    offered = ",".join(probe.sshd[name] for name in ("ciphers", "macs", "kexalgorithms")).split(",")
    assert observed([name for name in offered if any(weak in name for weak in WEAK)]) == []
