"""What a host shall be: all components of all its days merged into one value."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from himari.apply.agent.wire import Query
from himari.apply.render import Rendered, render
from himari.apply.repositories import repository_files
from himari.apply.values import Values
from himari.catalog.component import Artifact, Component, Directory, Tree, Unit, User, View
from himari.catalog.days import Day
from himari.catalog.registry import declaration

ArtifactDigests = Mapping[str, str]  # by the link of the artifact or tree
_T = TypeVar("_T")


class Secret(msgspec.Struct, frozen=True):
    """A credential's name and value; the value shows nowhere."""

    name: str
    value: str

    def __repr__(self) -> str:
        return f"Secret({self.name!r}, ...)"


class Desired(msgspec.Struct, frozen=True, kw_only=True):
    """What one day, or all days together, put on one host; each thing once, in the components' order."""

    packages: tuple[str, ...] = ()
    users: tuple[User, ...] = ()
    directories: tuple[Directory, ...] = ()
    files: tuple[Rendered, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    trees: tuple[Tree, ...] = ()
    secrets: tuple[Secret, ...] = ()
    units: tuple[Unit, ...] = ()
    masked: tuple[str, ...] = ()

    def query(self) -> Query:
        """What the host must be asked to compare itself with this."""
        return Query(
            packages=list(self.packages),
            users=[user.name for user in self.users],
            paths=[entry.path for entry in self.directories] + [each.file.path for each in self.files],
            environments=[artifact.venv for artifact in self.artifacts],
            trees=[tree.link for tree in self.trees],
            credentials={secret.name: secret.value for secret in self.secrets},
            units=[*(unit.name for unit in self.units), *self.masked],
        )

    def digest(self, unit: Unit, artifacts: ArtifactDigests) -> str:
        """The digest of what `unit` shall run: of its own unit files and of everything that it watches.

        Raises ValueError for a watch that is nothing on this host: a restart that would never come."""
        seen = hashlib.sha256(unit.name.encode())
        for watched in (*self.own_files(unit), *unit.watches):
            seen.update(f"\0{watched}\0{self._content(watched, unit, artifacts)}".encode())
        return seen.hexdigest()

    def own_files(self, unit: Unit) -> tuple[str, ...]:
        """The paths of the unit file and the drop-ins of `unit` that are ours."""
        names = (unit.name, f"{unit.name}.d", f"{unit.name.split('@')[0]}@.service.d")
        return tuple(each.file.path for each in self.files if set(each.file.path.split("/")) & set(names))

    def guarded(self, unit: Unit) -> bool:
        """Whether `unit` takes its configuration from a file whose change can lock the operator out."""
        watched = {*self.own_files(unit), *unit.watches}
        return any(each.file.guard and each.file.path in watched for each in self.files)

    def _content(self, watched: str, unit: Unit, artifacts: ArtifactDigests) -> str:
        digests = {each.file.path: each.digest for each in self.files}
        digests |= {artifact.name: artifacts[artifact.venv] for artifact in self.artifacts}
        digests |= {tree.name: artifacts[tree.link] for tree in self.trees}
        digests |= {secret.name: hashlib.sha256(secret.value.encode()).hexdigest() for secret in self.secrets}
        if watched not in digests:
            raise ValueError(f"{unit.name} watches {watched}, which no component puts on its host")
        return digests[watched]


class HostDesired(msgspec.Struct, frozen=True):
    """What one host shall be, day by day and whole."""

    host_name: str
    days: Mapping[str, Desired]
    whole: Desired


def desired(view: View, days: Iterable[Day], values: Values) -> HostDesired:
    """Render all that `days` put on the view's host."""
    by_day = {day.name: merge(_of(name, view, values) for name in day.names(view.host)) for day in days}
    return HostDesired(view.host_name, by_day, merge(by_day.values()))


def component_desired(component: Component, view: View, values: Values) -> Desired:
    """What `component` alone puts on the view's host."""
    return Desired(
        packages=tuple(package.name for package in component.packages),
        users=component.users,
        directories=component.directories,
        files=(*_repositories(component, view), *render(component, view, values)),
        artifacts=component.artifacts,
        trees=component.trees,
        secrets=tuple(Secret(each.name, values.secret(each.secret)) for each in component.credentials),
        units=component.units,
        masked=component.masked,
    )


def _repositories(component: Component, view: View) -> tuple[Rendered, ...]:
    return tuple(each for one in component.repositories for each in repository_files(one, view.stack))


def merge(parts: Iterable[Desired]) -> Desired:
    """`parts` as one; what several of them say in the same words is kept once."""
    listed = list(parts)
    return Desired(
        packages=tuple(dict.fromkeys(name for part in listed for name in part.packages)),
        users=_unique(user for part in listed for user in part.users),
        directories=_unique(entry for part in listed for entry in part.directories),
        files=_unique(each for part in listed for each in part.files),
        artifacts=_unique(artifact for part in listed for artifact in part.artifacts),
        trees=_unique(tree for part in listed for tree in part.trees),
        secrets=_unique(secret for part in listed for secret in part.secrets),
        units=_unique(unit for part in listed for unit in part.units),
        masked=tuple(dict.fromkeys(name for part in listed for name in part.masked)),
    )


def _of(name: str, view: View, values: Values) -> Desired:
    return component_desired(declaration(name)(view), view, values)


def _unique(items: Iterable[_T]) -> tuple[_T, ...]:
    # By equality: a file's values are a mapping, so it has no hash.
    kept: list[_T] = []
    for item in items:
        if item not in kept:
            kept.append(item)
    return tuple(kept)
