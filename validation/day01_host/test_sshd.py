"""What sshd does, as it says itself (`sshd -T`), whatever its files say."""

from himari.proof.checks import Observed, check
from himari.proof.probe import Probe

# "nistp", "ecdh-" and "ecdsa-": NIST's curves, whose constants nobody accounts for and which are easily got wrong.
WEAK = ("sha1", "md5", "-cbc", "3des", "arcfour", "diffie-hellman", "umac-64", "nistp", "ecdh-", "ecdsa-", "ssh-dss")
HYBRID = ("mlkem768x25519", "sntrup761x25519")
CLASSIC = "curve25519-sha256"  # all that paramiko, and so native pyinfra, offers of what is not weak
OFFERED = ("ciphers", "macs", "kexalgorithms", "hostkeyalgorithms")


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
    offered = ",".join(probe.sshd[name] for name in OFFERED).split(",")
    weak = observed([name for name in offered if any(part in name for part in WEAK)])
    assert not weak, f"{', '.join(weak)}: `himari up` takes them off the list"


@check("sshd.key-exchange", "ssh prefers a key exchange whose record is no use to a quantum computer either")
def test_key_exchange(probe: Probe, observed: Observed) -> None:
    preferred, *others = observed(probe.sshd["kexalgorithms"]).split(",")
    weak = [name for name in others if not name.startswith((*HYBRID, CLASSIC))]
    assert preferred.startswith(HYBRID), f"{preferred} comes first: `himari up` puts it right"
    assert not weak, f"{', '.join(weak)}: `himari up` takes them off the list"


@check("sshd.strict-modes", "a key that somebody else could have put there or read lets nobody in")
def test_strict_modes(probe: Probe, observed: Observed) -> None:
    assert observed(probe.sshd["strictmodes"]) == "yes"


@check("sshd.methods", "a key is the one way in")
def test_methods(probe: Probe, observed: Observed) -> None:
    names = ("authenticationmethods", "hostbasedauthentication", "permitemptypasswords")
    assert observed([probe.sshd[name] for name in names]) == ["publickey", "no", "no"]


@check("sshd.log", "the journal tells whose key logged in", severity="warning")
def test_log(probe: Probe, observed: Observed) -> None:
    assert observed(probe.sshd["loglevel"]) in ("VERBOSE", "DEBUG")
