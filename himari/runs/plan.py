"""What a stack would be, told without touching a host: sizes, times and what must be fetched."""

from collections.abc import Iterator

import msgspec

from himari.apply.feed import read_feed
from himari.catalog.component import Artifact, Component, Feed, View
from himari.catalog.days import days
from himari.catalog.registry import declaration
from himari.stack.capacity import Holding, SymbolDay, check_capacity, holdings, memory_refusals, symbol_days
from himari.stack.known import Known, read_known
from himari.stack.model import Stack
from himari.stack.network import cloud_note, public_address
from himari.stack.paths import StateDir
from himari.stack.sizes import catch_up_factor


class HostPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A host, what it gets, and its floor of memory and disk."""

    name: str
    provider: str
    address: str
    roles: tuple[str, ...]
    cpus: int | None
    memory_mb: int | None
    disk_gb: int | None
    components: tuple[str, ...]
    units: tuple[str, ...]
    met: bool  # whether an earlier run has reached it


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """What comes from outside: packages by the hosts, wheels by this machine."""

    host: str
    kind: str  # package, wheels
    names: tuple[str, ...]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Something on a host that is not as the files say."""

    host: str
    day: str
    what: str


class PlanReport(msgspec.Struct, frozen=True, kw_only=True):
    """All that `plan` says. `differs` is None when the hosts were not asked."""

    stack: str
    hosts: tuple[HostPlan, ...]
    symbols: tuple[SymbolDay, ...]
    holdings: tuple[Holding, ...]
    fetched: tuple[Fetched, ...]
    notes: tuple[str, ...]
    differs: tuple[Difference, ...] | None = None


def plan(stack: Stack, differs: tuple[Difference, ...] | None = None, feed: Feed | None = None) -> PlanReport:
    """The plan of `stack`, with what the hosts said differs if they were asked.

    `feed` is the last `up`'s when none is given. Raises CapacityError, StackFileError."""
    check_capacity(stack)
    state = StateDir.of(stack.name)
    known = read_known(state.hosts)
    feed = feed or read_feed(state)
    parts = {name: components(View(stack=stack, host_name=name, known=known, feed=feed)) for name in stack.hosts}
    floors = {name: sum(part.memory_mb for part in listed) for name, listed in parts.items()}
    for refusal in memory_refusals(stack, floors):
        raise refusal
    return PlanReport(
        stack=stack.name,
        hosts=tuple(_host(stack, known, name, listed) for name, listed in parts.items()),
        symbols=symbol_days(stack),
        holdings=holdings(stack),
        fetched=tuple(item for name, listed in parts.items() for item in _fetched(name, listed)),
        notes=(_catch_up(stack), *(note for name in stack.hosts if (note := cloud_note(stack, name)))),
        differs=differs,
    )


def components(view: View) -> tuple[Component, ...]:
    """All that the days put on the view's host, in order."""
    return tuple(declaration(name)(view) for day in days() for name in day.names(view.host))


def _catch_up(stack: Stack) -> str:
    return f"A brain that was away catches up with {catch_up_factor(stack):.1f} s of data in each second."


def _host(stack: Stack, known: Known, name: str, listed: tuple[Component, ...]) -> HostPlan:
    host = stack.hosts[name]
    return HostPlan(
        name=name,
        provider=host.provider,
        address=public_address(stack, known, name),
        roles=tuple(host.roles),
        cpus=host.cpus,
        memory_mb=host.memory_mb,
        disk_gb=host.disk_gb,
        components=tuple(part.name for part in listed),
        units=tuple(unit.name for part in listed for unit in part.units),
        met=name in known,
    )


def _fetched(name: str, listed: tuple[Component, ...]) -> Iterator[Fetched]:
    packages = tuple(dict.fromkeys(package.name for part in listed for package in part.packages))
    if packages:
        yield Fetched(host=name, kind="package", names=packages)
    wheels: tuple[Artifact, ...] = tuple(artifact for part in listed for artifact in part.artifacts)
    if wheels:
        yield Fetched(host=name, kind="wheels", names=tuple(wheel.lock for wheel in wheels))
