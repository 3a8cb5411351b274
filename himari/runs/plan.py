"""What a stack would be, told without touching a host: sizes, times and what must be fetched."""

from collections.abc import Iterator, Mapping

import msgspec

from himari.apply import trees, wheelhouse
from himari.apply.feed import read_feed
from himari.catalog.component import Artifact, Component, Feed, Origin, Tree, View
from himari.catalog.days import days
from himari.catalog.registry import declaration
from himari.catalog.repositories import source
from himari.runs.stack_secrets import SecretsLook, look
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
    """What comes from outside: packages, by each host for itself; the rest once by this machine, for all `hosts`.

    `bytes` is None where nobody knows before it is fetched; `cached` of them are on this machine already."""

    origin: Origin
    hosts: tuple[str, ...]
    names: tuple[str, ...]  # of packages, of vendors or of a lock
    bytes: int | None = None
    cached: int | None = None


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
    secrets: SecretsLook
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
    for repository in (each for listed in parts.values() for part in listed for each in part.repositories):
        source(stack, repository)
    return PlanReport(
        stack=stack.name,
        hosts=tuple(_host(stack, known, name, listed) for name, listed in parts.items()),
        symbols=symbol_days(stack),
        holdings=holdings(stack),
        fetched=tuple(fetched(parts)),
        notes=(_catch_up(stack), *(note for name in stack.hosts if (note := cloud_note(stack, name)))),
        secrets=look(stack, state),
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


def fetched(parts: Mapping[str, tuple[Component, ...]]) -> Iterator[Fetched]:
    """What the components `parts` of each host need from outside. Raises StackFileError for a lock without sense."""
    for name, listed in parts.items():
        if packages := tuple(dict.fromkeys(package.name for part in listed for package in part.packages)):
            yield Fetched(origin=Origin.DEBIAN, hosts=(name,), names=packages)
        if vendors := tuple(dict.fromkeys(repository.name for part in listed for repository in part.repositories)):
            yield Fetched(origin=Origin.VENDOR, hosts=(name,), names=vendors)
    wanted = [(name, each) for name, listed in parts.items() for part in listed for each in _by_lock(part)]
    for lock, what in {each.lock: each for _, each in wanted}.items():
        hosts = tuple(dict.fromkeys(name for name, each in wanted if each.lock == lock))
        yield _locked(what, hosts)


def _by_lock(part: Component) -> tuple[Artifact | Tree, ...]:
    return (*part.artifacts, *part.trees)


def _locked(what: Artifact | Tree, hosts: tuple[str, ...]) -> Fetched:
    if isinstance(what, Tree):
        size: int | None = sum(file.bytes for file in trees.locked(what))
        cached = size if trees.making(what).folder.exists() else 0
    else:
        size = cached = wheelhouse.fetched_bytes(what)  # a lock of wheels names each platform's, and no size
    return Fetched(origin=what.origin, hosts=hosts, names=(what.lock,), bytes=size, cached=cached)
