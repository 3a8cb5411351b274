"""All that a host gets, day by day, and what follows for the whole stack."""

from collections.abc import Iterator, Mapping
from typing import Any

from himari.catalog.component import Component, PublicFile, ScramVerifier, SecretHash, View
from himari.catalog.days import days
from himari.catalog.registry import declaration
from himari.stack.model import Stack


def components(view: View, without: frozenset[str] = frozenset()) -> tuple[tuple[str, Component], ...]:
    """The components of the view's host in order, each with its day's name, but those named in `without`.

    One that has nothing to put there is none of the host's."""
    planned = ((day.name, name) for day in days() for name in day.names(view.host) if name not in without)
    declared = ((day, declaration(name)(view)) for day, name in planned)
    return tuple((day, part) for day, part in declared if part != Component(name=part.name))


def debian_packages(stack: Stack) -> tuple[str, ...]:
    """The names of all Debian packages that any host of `stack` needs, sorted."""
    return tuple(sorted({package.name for one in _all(stack) for package in one.packages}))


def secrets(stack: Stack) -> tuple[str, ...]:
    """The names of all secrets of `stack`, sorted: those that services hold or are told when they run, and those that
    files hold a hash of."""
    held = {credential.secret for one in _all(stack) for credential in one.credentials}
    hashed = {name for one in _all(stack) for file in one.files for name in _hashed(file.values)}
    told = {name for one in _all(stack) for name in one.secrets}
    return tuple(sorted(held | hashed | told))


def users_of(stack: Stack, secret: str) -> tuple[str, ...]:
    """The units that the value of `secret` reaches, as "host: unit": what another value of it restarts."""
    parts = {name: [one for _, one in components(View(stack=stack, host_name=name))] for name in stack.hosts}
    carried = {name: {each for one in listed for each in _carries(one, secret)} for name, listed in parts.items()}
    units = ((name, unit) for name, listed in parts.items() for one in listed for unit in one.units)
    return tuple(dict.fromkeys(f"{name}: {unit.name}" for name, unit in units if carried[name] & set(unit.watches)))


def memory_floors(stack: Stack) -> dict[str, int]:
    """The sum of the components' memory floors in MiB, by host."""
    return {
        name: sum(one.memory_mb for _, one in components(View(stack=stack, host_name=name))) for name in stack.hosts
    }


def _all(stack: Stack) -> Iterator[Component]:
    for name in stack.hosts:
        yield from (one for _, one in components(View(stack=stack, host_name=name)))


def _carries(one: Component, secret: str) -> set[str]:
    """The credentials and files by which the value of `secret` comes to a host."""
    held = {credential.name for credential in one.credentials if credential.secret == secret}
    certificate = PublicFile(f"{secret.removesuffix('-key')}.pem")  # of the server whose key it is
    files = {file.path for file in one.files if secret in _hashed(file.values) or certificate in file.values.values()}
    return held | files


def _hashed(values: Mapping[str, Any]) -> Iterator[str]:
    return (value.secret for value in values.values() if isinstance(value, SecretHash | ScramVerifier))
