"""What differs between the hosts and the files; nothing is changed."""

import msgspec

from himari.apply import run as apply
from himari.apply.declared import services
from himari.apply.feed import read_feed
from himari.runs.halfway import refuse_half_destroyed
from himari.runs.labs import refuse_silenced
from himari.runs.plan import Difference
from himari.runs.progress import Listener, Narrator
from himari.runs.strays import strays
from himari.stack.known import read_known
from himari.stack.model import Stack
from himari.stack.paths import StateDir


class DriftReport(msgspec.Struct, frozen=True, kw_only=True):
    """All differences, and unified diffs of the files that anybody may read.

    `strays`: what is there although the stack file does not ask for it any more; no `up` takes it away."""

    stack: str
    ok: bool
    differs: tuple[Difference, ...]
    diff: tuple[str, ...]
    strays: tuple[str, ...] = ()


def drift(stack: Stack, listener: Listener) -> DriftReport:
    """Ask each host once. Raises HostError for one that cannot be reached, and for a stack that is half destroyed."""
    state = StateDir.of(stack.name)
    refuse_half_destroyed(state)
    refuse_silenced(stack, state)
    report = Narrator(listener).reporter("drift")
    known = read_known(state.hosts)
    plans = apply.plan_hosts(stack, known, state, feed=read_feed(state), listen=report)
    found = differences(plans)
    with services.means(stack, known, state) as given:
        found += held_differences(given, found)
    said = set(plans.says)
    diff = tuple(line for line in apply.drift(plans) if line not in said) if found else ()
    over = strays(stack, known, state)
    return DriftReport(stack=stack.name, ok=not found and not over, differs=found, diff=diff, strays=over)


def differences(plans: apply.Plans) -> tuple[Difference, ...]:
    """Everything that the hosts lack, a value each."""
    return tuple(
        Difference(host=plan.host_name, day=day, what=what)
        for plan in plans.hosts
        for day, difference in plan.differences.items()
        for what in difference.says
    )


def held_differences(given: services.Means, found: tuple[Difference, ...]) -> tuple[Difference, ...]:
    """What running services lack, but those of a day that its host lacks something of, by what was `found`."""
    unready = {(one.host, one.day) for one in found}
    lacking = services.differences(given, unready)
    return tuple(Difference(host=one.host, day=one.day, what=one.what) for one in lacking)
