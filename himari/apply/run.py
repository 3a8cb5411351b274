"""`himari up`, `plan` and `drift` over a stack's hosts: one fact a host for all days, one activation a host and day."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from himari.apply.access import admit_operator
from himari.apply.agent import wire
from himari.apply.desired import HostDesired, desired
from himari.apply.difference import Comparison, Difference
from himari.apply.drift import file_diffs
from himari.apply.operations import Job, confirm
from himari.apply.session import Listen, ask, compare, perform, sudo_at
from himari.apply.values import Values
from himari.catalog.component import Feed, View
from himari.catalog.days import Day, days
from himari.ssh.config import operator_key
from himari.ssh.connection import Reach, reach
from himari.stack.errors import DeployError, HostError
from himari.stack.known import Known
from himari.stack.model import Stack
from himari.stack.paths import StateDir


def _silent(_host: str, _what: str) -> None:
    return


class HostPlan(msgspec.Struct, frozen=True):
    """What one host is and lacks; days that lack nothing are not in `differences`."""

    host_name: str
    reach: Reach
    state: wire.State
    desired: HostDesired
    comparison: Comparison
    differences: Mapping[str, Difference]


class Plans(msgspec.Struct, frozen=True):
    """What all hosts of a stack lack."""

    stack: Stack
    hosts: tuple[HostPlan, ...]

    @property
    def says(self) -> tuple[str, ...]:
        """Every difference as "host: day: what"."""
        return tuple(
            f"{plan.host_name}: {day}: {line}"
            for plan in self.hosts
            for day, difference in plan.differences.items()
            for line in difference.says
        )


def plan_hosts(
    stack: Stack,
    known: Known,
    state: StateDir,
    *,
    feed: Feed | None = None,
    all_days: Iterable[Day] | None = None,
    listen: Listen = _silent,
    makes: bool = False,
) -> Plans:
    """Ask every host once what it is, all at the same time, and compare that with all its days.

    Secrets that there are none of are made with `makes`; without, they are told as differences.

    Raises HostError for a host that cannot be reached, DeployError for one whose answer makes no sense."""
    stack = admit_operator(stack, known)
    reaches = {name: reach(name, known, state) for name in stack.hosts}
    values = Values.open(stack, known, state, makes=makes)
    wanted = _desired(stack, known, values, feed or Feed(), tuple(all_days or days()))
    states = ask({name: (reaches[name], each.whole.query()) for name, each in wanted.items()}, listen)
    key = operator_key(stack, state)
    return Plans(stack, tuple(_plan(wanted[name], reaches[name], states[name], key) for name in wanted))


def job(plan: HostPlan, day: str) -> Job:
    """The activation of `day` on the plan's host, with the wheels and trees that it does not have yet."""
    return Job(
        activation=plan.differences[day].activation,
        reach=plan.reach,
        sudo=sudo_at(plan.reach),
        uploads=plan.comparison.uploads(plan.desired.days[day]),
        python=plan.state.python,
    )


def apply_day(plans: Plans, day: str, listen: Listen = _silent) -> tuple[str, ...]:
    """Activate `day` on the hosts that lack something of it; what was changed, as "host: day: what".

    Hosts that share a role restart what runs there one after the other: while one is down, the others serve.
    Raises DeployError with the host, the step, the last lines and the command that repeats it, and leaves the hosts
    alone whose turn has not come."""
    changed: list[str] = []
    for wave in waves(plans, day):
        jobs = [job(plan, day) for plan in wave]
        perform(day, jobs, listen)
        for each in jobs:
            _raise_failure(plans.stack, day, each)
        changed += [f"{each.reach.host_name}: {day}: {line}" for each in jobs for line in _changed(each)]
    return tuple(changed)


def waves(plans: Plans, day: str) -> list[list[HostPlan]]:
    """The hosts that lack something of `day`, in groups of those whose turn comes at the same time."""
    made: list[list[HostPlan]] = []
    for plan in (each for each in plans.hosts if day in each.differences):
        roles, restarted = set(plans.stack.hosts[plan.host_name].roles), _restarted(plan, day)
        free = (
            wave
            for wave in made
            if not any(
                roles & set(plans.stack.hosts[other.host_name].roles) and restarted & _restarted(other, day)
                for other in wave
            )
        )
        wave = next(free, None)
        if wave is None:
            made.append([plan])
        else:
            wave.append(plan)
    return made


def _restarted(plan: HostPlan, day: str) -> set[str]:
    """The units that run on the host and that `day` restarts."""
    starts = (unit.name for unit in plan.differences[day].activation.units if unit.start)
    return {name for name in starts if plan.state.units[name].active}


def native(stack_name: str, day: str) -> str:
    """The command that applies `day` with pyinfra itself, also where nobody is there to answer it."""
    return f"HIMARI_STACK={stack_name} pyinfra inventories/hosts.py deploy/{day}.py -y"


def settle(plans: Plans) -> None:
    """Confirm guarded changes that an earlier run, cut off, left armed; otherwise hosts would undo them behind us.

    Raises DeployError for a host that no fresh login reaches: its old state comes back by itself."""
    for plan in plans.hosts:
        for token in plan.state.unconfirmed:
            failure = confirm(plan.reach, sudo_at(plan.reach), token, wire.Activation().guard_seconds)
            if failure is not None:
                said = "".join(f"\n    {line}" for line in failure.lines)
                hint = f"repeat in {wire.Activation().guard_seconds} s: himari up {plans.stack.name}"
                raise DeployError(f"an earlier run's {failure.what}{said}", plan.host_name, hint=hint)


def drift(plans: Plans) -> tuple[str, ...]:
    """What differs on the hosts, in words, with a unified diff below each file whose content differs.

    A second command fetches those files; private ones stay where they are."""
    return tuple(line for plan in plans.hosts for line in _explained(plan))


def _desired(stack: Stack, known: Known, values: Values, feed: Feed, listed: tuple[Day, ...]) -> dict[str, HostDesired]:
    views = (View(stack=stack, host_name=name, known=known, feed=feed) for name in stack.hosts)
    return {view.host_name: desired(view, listed, values) for view in views}


def _plan(wanted: HostDesired, at: Reach, state: wire.State, key: str) -> HostPlan:
    pinned = at.known.wireguard_public_key
    if pinned and state.wireguard_public_key != pinned:
        hint = "was the machine reinstalled? remove it from hosts.json, so that it is met anew"
        raise HostError(f"its WireGuard key is {state.wireguard_public_key or 'gone'}", wanted.host_name, pinned, hint)
    comparison = compare(wanted, state, key)
    differences = {day: comparison.difference(part) for day, part in wanted.days.items()}
    lacking = {day: each for day, each in differences.items() if not each.activation.empty}
    return HostPlan(wanted.host_name, at, state, wanted, comparison, lacking)


def _explained(plan: HostPlan) -> Iterator[str]:
    lines = [f"{plan.host_name}: {day}: {line}" for day, each in plan.differences.items() for line in each.says]
    yield from lines
    paths = {change.path for each in plan.differences.values() for change in each.activation.files}
    files = [each for each in plan.desired.whole.files if each.file.path in paths & plan.state.entries.keys()]
    yield from file_diffs(plan.reach, files) if files else ()


def _changed(done: Job) -> list[str]:
    return done.report.changed if done.report else []


def _raise_failure(stack: Stack, day: str, done: Job) -> None:
    host = done.reach.host_name
    replay = f"{native(stack.name, day)} --limit {host}"
    if isinstance(done.error, HostError) and done.guarded:
        back = f"the host puts the old state back within {done.activation.guard_seconds} s"
        raise DeployError(f"{day}: the connection ended during a guarded change; {back}", host, hint=f"then: {replay}")
    if done.error is not None:
        raise done.error
    if done.report is None or done.report.failure is None:
        return
    failure = done.report.failure
    said = "".join(f"\n    {line}" for line in failure.lines)
    raise DeployError(f"{day}: {failure.step}: {failure.what}{said}", host, hint=f"repeat it with: {replay}")
