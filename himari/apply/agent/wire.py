"""What crosses between the operator's machine and a host's agent, both ways, as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Query:
    """What the state of a host is asked for. Credentials' values come along, as only the host can compare them."""

    packages: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)  # files and directories
    environments: list[str] = field(default_factory=list)  # the links
    trees: list[str] = field(default_factory=list)  # the links
    credentials: dict[str, str] = field(default_factory=dict, repr=False)
    units: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Account:
    """A user as it is on the host."""

    home: str
    shell: str
    groups: list[str]
    keys: list[str]  # "type blob" of each authorized key
    sudo: bool


@dataclass(frozen=True)
class Entry:
    """A file (`digest`: sha256) or a directory (`digest` empty) as it is on the host."""

    mode: int
    owner: str
    group: str
    digest: str = ""
    pending: bool = False  # its `apply` command has not succeeded since it changed


@dataclass(frozen=True)
class Service:
    """A unit as systemd sees it, and the digest that was noted when it last started well."""

    enabled: bool
    active: bool
    masked: bool
    digest: str


@dataclass(frozen=True)
class State:
    """A host as it is."""

    debian: str
    python: str  # cp311
    boot_id: str
    container: bool
    wireguard_public_key: str
    packages: dict[str, str]  # installed: version
    users: dict[str, Account]
    entries: dict[str, Entry]
    environments: dict[str, str]  # link: digest
    uploaded: list[str]  # digests of wheelhouses and trees that were sent and are whole
    credentials: list[str]  # names whose value is the one that was sent
    units: dict[str, Service]
    trees: dict[str, str] = field(default_factory=dict)  # link: digest
    unconfirmed: list[str] = field(default_factory=list)  # tokens of guarded changes that wait for a fresh login


@dataclass(frozen=True)
class UserChange:
    name: str
    home: str
    login: bool
    sudo_rule: str  # empty: it may not become root
    groups: list[str]
    key: str  # the operator's public key, for a user that logs in


@dataclass(frozen=True)
class DirectoryChange:
    path: str
    mode: int
    owner: str
    group: str


@dataclass(frozen=True)
class FileChange:
    """A file to put in place, or (`content` null) one whose `apply` is still owed."""

    path: str
    content: str | None = field(repr=False)  # base64
    mode: int
    owner: str
    group: str
    check: list[str]
    apply: list[str]
    guarded: bool
    before_packages: bool = False


@dataclass(frozen=True)
class EnvironmentChange:
    link: str
    digest: str
    package: str  # ours, as Python imports it


@dataclass(frozen=True)
class TreeChange:
    link: str
    digest: str


@dataclass(frozen=True)
class UnitChange:
    name: str
    digest: str
    enable: bool
    start: bool
    reload: bool
    ready: list[str]
    ready_seconds: int
    guarded: bool


@dataclass(frozen=True)
class Activation:
    """All that differs on a host, for one activation."""

    packages: list[str] = field(default_factory=list)
    users: list[UserChange] = field(default_factory=list)
    directories: list[DirectoryChange] = field(default_factory=list)
    credentials: dict[str, str] = field(default_factory=dict, repr=False)
    environments: list[EnvironmentChange] = field(default_factory=list)
    trees: list[TreeChange] = field(default_factory=list)
    files: list[FileChange] = field(default_factory=list)
    masked: list[str] = field(default_factory=list)
    units: list[UnitChange] = field(default_factory=list)
    guard_seconds: int = 60

    @property
    def empty(self) -> bool:
        parts = (self.packages, self.users, self.directories, self.credentials, self.environments)
        return not any((*parts, self.trees, self.files, self.masked, self.units))


@dataclass(frozen=True)
class Strip:
    """What `stack` is to have removed from a host: units by name, the rest by path."""

    stack: str
    units: list[str]
    files: list[str]
    keys: list[str]  # WireGuard's that are known to be ours, unless a configuration that is not names them
    folders: list[str]


@dataclass(frozen=True)
class Stripped:
    """What is left, a line each, and WireGuard's keys that are gone."""

    left: list[str]
    keys: list[str]


@dataclass(frozen=True)
class Failure:
    """The step that failed, what was being done, and the last lines of who complained."""

    step: str
    what: str
    lines: list[str]


@dataclass(frozen=True)
class Report:
    """What an activation did. `token`: guarded changes wait for `confirm` with it."""

    changed: list[str]
    failure: Failure | None = None
    token: str = ""


def activation(raw: dict[str, Any]) -> Activation:
    """`raw` as it came over the wire, typed; the host has no library for that."""
    kinds: dict[str, Callable[..., object]] = {
        "users": UserChange,
        "directories": DirectoryChange,
        "environments": EnvironmentChange,
        "trees": TreeChange,
        "files": FileChange,
        "units": UnitChange,
    }
    typed: dict[str, Any] = dict(raw)
    typed.update({key: [kind(**item) for item in raw[key]] for key, kind in kinds.items()})
    return Activation(**typed)
