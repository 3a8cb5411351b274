"""The tunnel: up, fresh, wide enough, and with the declared peers only."""

from himari.catalog.hostpaths import WIREGUARD_INTERFACE, WIREGUARD_PRIVATE_KEY
from himari.catalog.mesh import peers
from himari.proof import readings
from himari.proof.checks import Case, Observed, check, found
from himari.proof.probe import Probe
from himari.proof.readings import Tunnel
from himari.proof.subject import Subject

STALE_SECONDS = 180  # WireGuard makes a new session after two minutes of traffic


def tunnel(probe: Probe) -> Tunnel:
    return found(probe.tunnels.get(WIREGUARD_INTERFACE), "there is no wg0, whatever its unit says")


@check("wireguard.interface", "the tunnel's interface is there", replaces="4.3: WireGuard configured")
def test_interface(case: Case, probe: Probe, observed: Observed) -> None:
    assert observed(tunnel(probe).port) == case.view.stack.network.wireguard_port


@check(
    "wireguard.peers", "its peers are the stack's, each with one address", replaces="day 3, step 3.2; 5.2: AllowedIPs"
)
def test_peers(case: Case, probe: Probe, observed: Observed) -> None:
    declared = peers(case.view)
    wanted = {(peer.public_key, f"{peer.address}/32") for peer in declared}
    seen = {(peer.public_key, ",".join(peer.allowed)) for peer in tunnel(probe).peers}
    names = {peer.public_key: peer.name for peer in declared}
    observed({f"{names.get(key, 'a stranger')} {allowed}" for key, allowed in seen})
    mend = f"expected {', '.join(f'{peer.name} {peer.address}/32' for peer in declared)}; `himari up` sets them"
    assert seen == wanted, mend


@check(
    "wireguard.handshake",
    "each peer was heard of within three minutes",
    replaces="5.2: test connectivity; 6.2, 8.1: wg show",
)
def test_handshake(probe: Probe, observed: Observed) -> None:
    ages = [peer.handshake_age for peer in tunnel(probe).peers]
    observed([f"{age} s" if age is not None else "never" for age in ages])
    assert ages, "there is no peer"
    assert all(age is not None and age <= STALE_SECONDS for age in ages)


@check(
    "wireguard.mtu",
    "whole packets cross the tunnel unfragmented",
    replaces="day 3, step 3.2; 5.2: MTU, ping; 7.1: Brain reachable",
)
def test_mtu(case: Case, probe: Probe, observed: Observed) -> None:
    answers = probe.raw.pings
    observed(
        [f"{address}: {answer.out.strip().splitlines()[-1:] or [answer.err]}" for address, answer in answers.items()]
    )
    assert answers, "nobody to ping"
    unanswered = [address for address, answer in answers.items() if answer.code]
    assert not unanswered, f"{case.view.stack.network.mtu} bytes do not reach {', '.join(unanswered)}"


@check(
    "wireguard.round-trip",
    "a round trip through the tunnel takes no longer than twice what it took at first",
    severity="warning",
    replaces="5.3: monitor_latency",
)
def test_round_trip(case: Case, probe: Probe, observed: Observed, subject: Subject) -> None:
    times = {address: readings.ping_seconds(answer.out) for address, answer in probe.raw.pings.items()}
    observed([f"{address} {seconds * 1000:.1f} ms" for address, seconds in times.items() if seconds is not None])
    assert times, "nobody to ping"
    slow = [
        subject.baseline.compare(case.host, f"wireguard.round-trip {address}", found(seconds, f"{address} is silent"))
        for address, seconds in times.items()
    ]
    assert not any(slow), "; ".join(filter(None, slow))


@check(
    "wireguard.keepalive",
    "only the end behind NAT keeps the way open",
    replaces="day 3, step 3.2; 5.2: PersistentKeepalive",
)
def test_keepalive(case: Case, probe: Probe, observed: Observed) -> None:
    declared = {peer.public_key: peer.keepalive_seconds for peer in peers(case.view)}
    seen = {peer.public_key: peer.keepalive for peer in tunnel(probe).peers}
    observed([f"{seconds} s" for seconds in seen.values()])
    assert seen == declared


@check("wireguard.key", "the private key is root's alone", replaces="day 3, step 3.1; 5.1: wg genkey")
def test_private_key(probe: Probe, observed: Observed) -> None:
    state = found(probe.file(WIREGUARD_PRIVATE_KEY), f"{WIREGUARD_PRIVATE_KEY} is missing")
    assert observed(f"{state.owner} {state.mode:04o}") in ("root 0600", "root 0400")


@check("wireguard.module", "the kernel carries the tunnel, not a program", severity="warning")
def test_module(probe: Probe, observed: Observed) -> None:
    assert observed("wireguard" in probe.modules), "the module is not loaded"
