"""What running services hold beyond their files (topics, schemas, constraints), and how it becomes what is declared.

A service has a module here, of its component's name and listed in SERVICES, with two functions:

- `differences(means, host)`: what the service on `host` lacks, in words; it changes nothing.
- `apply(means, host, report)`: does what is missing, which may be nothing, and says in words what it changed. It may be
  repeated at any time, also after it was cut off, and takes no data away unless `means.allow_data_loss`.

Both raise HostError for a service that cannot be reached and DeployError for one that refuses."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

import msgspec

from himari.apply.values import Values
from himari.catalog.days import Day, days
from himari.ssh.visitor import Visitor
from himari.stack.known import Known
from himari.stack.model import Stack
from himari.stack.paths import StateDir

SERVICES: tuple[str, ...] = ("kafka", "postgresql", "neo4j")
Report = Callable[[str, str], None]  # host, what is being done there now


class Means(msgspec.Struct, frozen=True):
    """What a service's module may use: the stack with its secrets and its CA, and ways to private ports."""

    values: Values
    visitor: Visitor
    allow_data_loss: bool = False

    @property
    def stack(self) -> Stack:
        return self.values.stack


class Lacking(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a running service lacks."""

    host: str
    day: str
    what: str


@contextmanager
def means(
    stack: Stack, known: Known, state: StateDir, *, makes: bool = False, allow_data_loss: bool = False
) -> Iterator[Means]:
    """The means for `stack`, whose ways stay open while the block lasts; with `makes` secrets are made at need."""
    visitor = Visitor(known, state)
    try:
        yield Means(Values.open(stack, known, state, makes=makes), visitor, allow_data_loss)
    finally:
        visitor.close()


def apply_day(given: Means, day: str, report: Report) -> tuple[str, ...]:
    """Bring the services that `day` puts on hosts to what is declared; what was changed, as "host: day: what"."""
    (wanted,) = (one for one in days() if one.name == day)
    done = ((host, _module(name).apply(given, host, report)) for host, name in _placed(given.stack, wanted))
    return tuple(f"{host}: {day}: {line}" for host, lines in done for line in lines)


def differences(given: Means, unready: Collection[tuple[str, str]]) -> tuple[Lacking, ...]:
    """What all services lack. Of the `unready` days of hosts nobody is asked: their services may not be there yet."""
    return tuple(
        Lacking(host=host, day=day.name, what=what)
        for day in days()
        for host, name in _placed(given.stack, day)
        if (host, day.name) not in unready
        for what in _module(name).differences(given, host)
    )


def _placed(stack: Stack, day: Day) -> Iterator[tuple[str, str]]:
    """The hosts and services of `day` that hold something declared."""
    yield from ((host, name) for host in stack.hosts for name in day.names(stack.hosts[host]) if name in SERVICES)


def _module(name: str) -> ModuleType:
    # Their client libraries take time to load, and most runs need few of them.
    return import_module(f"himari.apply.declared.{name}")
