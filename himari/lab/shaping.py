"""A rate between two hosts: what goes from one to the other waits in a class of the other's cable.

The rule in the bridge's table names the class; a cable that was made anew lacks it until `restore`."""

import re
import time

from himari.lab import network, rules
from himari.lab.lock import Held
from himari.lab.rules import Rule
from himari.lab.standing import Standing
from himari.lab.wire import wire
from himari.stack.errors import MachineError, StackFileError

LEAST_RATE = 1000  # bytes a second: below it, one full frame takes seconds
QUEUE_S = 0.5  # of frames that wait; more are dropped, as a router would
LEAST_QUEUE = 200_000  # bytes: three of the largest chunks that a kernel passes as one
PROOF_S = 10.0
SENT = re.compile(r"class htb 1:(\w+) .*?Sent \d+ bytes (\d+) pkt", re.DOTALL)


def rate(on: Standing, made: list[Rule], under: Held) -> list[Rule]:
    """Let no more bytes a second through than each of `made` says, frame headers included.

    Raises StackFileError below 1000, MachineError where the kernel has no such class (sch_htb)."""
    for rule in made:
        if rule.value < LEAST_RATE:
            raise StackFileError("this is no rate", f"{rule.value:g}", f"at least {LEAST_RATE} bytes a second")
        _make_class(on, rule, under)
    classify = {rule: f"{rules.between(on, rule.source, rule.target)} counter {_mark(on, rule)}" for rule in made}
    rules.load(on, classify, under)
    for rule in made:
        if rules.carries(on, rule):
            _prove(on, rule, under)
    return made


def restore(on: Standing, host: str, under: Held) -> None:
    """Make the classes of what is sent to `host` again, on its new cable."""
    for one in rules.loaded(on.lab):
        if one.rule.kind == "rate" and one.rule.target == host:
            _make_class(on, one.rule, under)


def clear(on: Standing, gone: list[Rule], under: Held) -> None:
    """Take away the classes of rules that are no longer loaded, and what held them once none is left."""
    for rule in gone:
        link = on.link(rule.target)
        if rule.kind != "rate" or link not in network.links(on.lab.id):
            continue
        if _minor(on, rule) in _sent(on, rule, under):
            under.run(("tc", "class", "del", "dev", link, "classid", f"1:{_minor(on, rule)}"))
            if not _sent(on, rule, under):
                under.run(("tc", "qdisc", "del", "dev", link, "root"))


def _make_class(on: Standing, rule: Rule, under: Held) -> None:
    link, minor = on.link(rule.target), _minor(on, rule)
    if "qdisc htb 1:" not in under.run(("tc", "qdisc", "show", "dev", link)):
        under.run(("tc", "qdisc", "add", "dev", link, "root", "handle", "1:", "htb", "default", "0"))
    queue = str(max(LEAST_QUEUE, round(rule.value * QUEUE_S)))
    speed = f"{rule.value:.0f}bps"  # in tc's words, these are bytes
    lines = (
        f"class replace dev {link} parent 1: classid 1:{minor} htb rate {speed}\n"
        f"qdisc replace dev {link} parent 1:{minor} handle {minor}0: bfifo limit {queue}\n"
    )
    under.run(("tc", "-batch", "-"), lines)


def _prove(on: Standing, rule: Rule, under: Held) -> None:
    """Send a frame and see the class pass one on. Raises MachineError when it does not."""
    minor = _minor(on, rule)
    before = _sent(on, rule, under)[minor]
    deadline = time.monotonic() + PROOF_S
    with wire(*on.way(rule.source, rule.target)) as between:
        while _sent(on, rule, under)[minor] == before:
            if time.monotonic() > deadline:
                link = on.link(rule.target)
                raise MachineError(
                    "the class passes nothing on", f"{rule.comment} ({link})", "frames", f"tc -s class show dev {link}"
                )
            between.send()


def _sent(on: Standing, rule: Rule, under: Held) -> dict[str, int]:
    """Minor number -> frames that each class of the target's cable has passed on."""
    return passed(under.run(("tc", "-s", "class", "show", "dev", on.link(rule.target))))


def passed(listed: str) -> dict[str, int]:
    """The same from what `tc -s class show` printed."""
    return {minor: int(count) for minor, count in SENT.findall(listed)}


def _mark(on: Standing, rule: Rule) -> str:
    return f"meta priority set 1:{_minor(on, rule)}"


def _minor(on: Standing, rule: Rule) -> str:
    """One class a sender."""
    return f"{on.record.hosts[rule.source]:x}"
