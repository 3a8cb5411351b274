"""Delay between two hosts. Frames get a detour as their destination, which is a tap; a relay puts them back later.

The kernel's own way (sch_netem) is missing in many kernels; this one needs no more than a tap and a rule."""

import re
import sys
import time
from pathlib import Path

from himari.lab import cgroup, container, network, relay, rules
from himari.lab.lock import Held
from himari.lab.rules import Rule
from himari.lab.standing import Standing
from himari.lab.wire import wire
from himari.stack.errors import MachineError, StackFileError

MOST_MS = 5_000
PROOF_S = 10.0
POLL_S = 0.01
TAP = re.compile(r"hm-[0-9a-f]{6}-[0-9a-f]{4}")
PORT = "learning off flood off mcast_flood off bcast_flood off"


def delay(on: Standing, made: list[Rule], under: Held) -> list[Rule]:
    """Hold each frame for the milliseconds that `made`, the two directions between two hosts, say.

    Raises StackFileError beyond 5 s, MachineError when the relay does not start or does not delay."""
    there, value = made[0], made[0].value
    if not 0 < value <= MOST_MS:
        raise StackFileError("this is no delay", f"{value:g}", f"more than 0, and at most {MOST_MS} ms")
    if not _runs(on, there):
        rules.unload(on.lab, [one for one in rules.loaded(on.lab) if one.rule.same_pair(there)], under)
        clear(on, under)
        _lay(on, there, under)
    rules.load(on, {rule: _detour(on, rule) for rule in made}, under)
    for rule in made:
        if rules.carries(on, rule):
            _prove(on, rule)
    return made


def clear(on: Standing, under: Held, seconds: float = 0) -> None:
    """Take away the relays that no rule leads to, after `seconds` in which what they hold comes out."""
    led = {_tap(on, one.rule) for one in rules.loaded(on.lab) if one.rule.kind == "delay"}
    stray = [name for name in network.links(on.lab.id) if TAP.fullmatch(name) and name not in led]
    time.sleep(seconds if stray else 0)
    for tap in stray:
        groups = container.groups_named(on.lab, {_group(on, tap), f"{on.lab.id}-{_group(on, tap)}.service"})
        cgroup.kill(groups)
        cgroup.remove(groups)
        under.run(("ip", "link", "del", tap))


def _lay(on: Standing, rule: Rule, under: Held) -> None:
    """The tap between the two hosts of `rule`, and the relay behind it."""
    tap = _tap(on, rule)
    under.run(("ip", "tuntap", "add", "dev", tap, "mode", "tap"))
    # An address above all cables': the bridge takes the lowest of its ports' as its own.
    master = f"link set {tap} address fe{on.hardware(rule.source)[2:]} mtu {network.MTU} master {on.lab.bridge} up\n"
    under.run(("ip", "-batch", "-"), master)
    entries = (f"fdb replace {_far(on, host)} dev {tap} master static" for host in (rule.source, rule.target))
    under.run(("bridge", "-batch", "-"), "\n".join((f"link set dev {tap} {PORT}", *entries)) + "\n")
    argv = (sys.executable, "-I", "-S", str(Path(relay.__file__)), tap, f"{rule.value:g}")
    container.keep(on.lab, _group(on, tap), argv, under)
    deadline = time.monotonic() + PROOF_S
    while not _attached(tap):
        if time.monotonic() > deadline:
            raise MachineError("the delay's relay did not start", tap, "a process on the tap", " ".join(argv))
        time.sleep(POLL_S)


def _runs(on: Standing, rule: Rule) -> bool:
    return _attached(_tap(on, rule)) and any(one.rule == rule for one in rules.loaded(on.lab))


def _attached(tap: str) -> bool:
    """Whether a process holds the tap: only then does it have a carrier."""
    try:
        return (Path("/sys/class/net") / tap / "carrier").read_text().strip() == "1"
    except OSError:  # no such link, or one that is not up yet
        return False


def _prove(on: Standing, rule: Rule) -> None:
    """Send frames until one arrives, which must take the time. Raises MachineError."""
    deadline = time.monotonic() + PROOF_S + 2 * rule.value / 1000
    with wire(*on.way(rule.source, rule.target)) as between:
        while time.monotonic() < deadline:
            start = time.monotonic()
            if between.arrives(between.send(), 1 + 2 * rule.value / 1000):
                took = 1000 * (time.monotonic() - start)
                if took >= rule.value:
                    return
                raise MachineError("frames arrive early", f"{rule.comment}", f"{rule.value:g} ms, not {took:.1f} ms")
    raise MachineError("no frame arrives", f"{rule.comment}", f"one after {rule.value:g} ms", "himari lab heal")


def _detour(on: Standing, rule: Rule) -> str:
    ends = f'iifname "{on.link(rule.source)}" ether daddr {on.hardware(rule.target)}'
    return f"{ends} counter ether daddr set {_far(on, rule.target)}"


def _far(on: Standing, host: str) -> str:
    return f"{relay.DETOUR:02x}{on.hardware(host)[2:]}"


def _tap(on: Standing, rule: Rule) -> str:
    """One for the two directions between two hosts."""
    first, second = sorted((on.record.hosts[rule.source], on.record.hosts[rule.target]))
    return f"{on.lab.id}-{first:02x}{second:02x}"


def _group(on: Standing, tap: str) -> str:
    return f".delay-{tap.removeprefix(on.lab.id + '-')}"
