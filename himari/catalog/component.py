"""What a component is: a pure value that says all that is needed to install, guard and prove one thing on a host.

Firewalls, ACLs, off-host probes, plans, downloads and sizes all follow from these values; nothing here does I/O."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar

import msgspec

from himari.stack.known import Known
from himari.stack.model import Host, Role, Stack


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """Where the edge's input comes from: the exchange's seeded market, a recording that it replays, or the venue."""

    live: bool = False  # the real venue instead of the exchange host
    recording_sha256: str = ""  # of the recording's file; empty: the seeded market
    recording_name: str = ""  # of that file on the operator's machine
    symbols: tuple[str, ...] = ()  # that the recording holds, as the stack names them
    speed: float = 1.0  # of the replay

    def brings(self, symbols: tuple[str, ...]) -> tuple[str, ...]:
        """Those of a venue's `symbols` whose frames can arrive: a recording holds some, other sources all."""
        return tuple(one for one in symbols if one in self.symbols) if self.recording_sha256 else symbols

    @property
    def recording_path(self) -> str:
        """Where the recording lies on the exchange host, put there before the exchange starts."""
        return f"/opt/himari/recordings/{self.recording_sha256}.gz" if self.recording_sha256 else ""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """All that a component may look at when it says what it is on a host."""

    stack: Stack
    host_name: str
    known: Known = {}
    feed: Feed = Feed()

    @property
    def host(self) -> Host:
        return self.stack.hosts[self.host_name]


class Origin(StrEnum):
    """Where a thing that a host needs comes from; who fetches it, and what vouches for it."""

    DEBIAN = "Debian packages"  # the host itself, from its own sources, as apt checks them
    PYPI = "PyPI wheels"  # the operator's machine, by the hashes of a lock
    MAVEN = "Maven artifacts"  # the operator's machine, by the hashes and sizes of a lock
    VENDOR = "vendor's packages"  # the host itself, from where the stack file says, as a pinned keyring vouches for


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """A Debian package, from the host's own sources."""

    origin: ClassVar[Origin] = Origin.DEBIAN
    name: str


class Repository(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor's repository of Debian packages, from which the host may install what the component's packages name.

    Where it is, and the keyring, the stack file says: [sources.NAME]."""

    origin: ClassVar[Origin] = Origin.VENDOR
    name: str
    suite: str
    components: tuple[str, ...]
    keyring: str  # its file name: .gpg for a binary one, .asc for an armoured one
    keyring_sha256: str


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A system account (`login` false) or one that may log in with the operator's key."""

    name: str
    home: str = "/nonexistent"
    login: bool = False
    sudo: bool = False
    groups: tuple[str, ...] = ()


class Directory(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    mode: int = 0o755
    owner: str = "root"
    group: str = "root"


class SecretHash(msgspec.Struct, frozen=True):
    """Stands in a file's values for the hex sha256 of a stack's secret; replaced where the secrets are known."""

    secret: str


class ScramVerifier(msgspec.Struct, frozen=True):
    """Stands in a file's values for what PostgreSQL keeps of a password, the stack's secret: enough to check it by."""

    secret: str


class PublicFile(msgspec.Struct, frozen=True):
    """Stands in a file's values for the text of a public file of the stack's vault: ca.pem, exchange.pem."""

    name: str


class CertificateEnd(msgspec.Struct, frozen=True):
    """Stands in a file's values for when a certificate of the vault ends, in seconds since 1970."""

    name: str  # of the public file: ca.pem, exchange.pem


class Guard(StrEnum):
    """Files whose change can lock the operator out: applied under the 60 s timer that puts the old state back."""

    SSHD = "sshd"
    NFTABLES = "nftables"
    WIREGUARD = "wireguard"


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file rendered from `templates/COMPONENT/<path without the leading />.j2` with `values` (StrictUndefined)."""

    path: str
    values: Mapping[str, Any] = {}
    mode: int = 0o644
    owner: str = "root"
    group: str = "root"
    check: tuple[str, ...] = ()  # checker's argv; "{}" is the candidate file; runs before the file is put in place
    apply: tuple[str, ...] = ()  # argv run after the file changed: sysctl --system, nft -f, systemd-tmpfiles --create
    guard: Guard | None = None
    template: str = ""  # path below templates/COMPONENT when it is not the path on the host
    before_packages: bool = False  # put before packages are installed; what else it needs is there on any Debian


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of wheels that the operator's machine makes, installed on the host as a virtual environment.

    `name` is the wheel of ours (himari-runtime, himari-exchange), `lock` its file below `requirements/`."""

    origin: ClassVar[Origin] = Origin.PYPI
    name: str
    lock: str
    venv: str  # /opt/himari/runtime: a link to the environment of the artifact's digest


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of files that the operator's machine fetches by Maven coordinate, put on the host as they are.

    `lock` is its file below `requirements/`: coordinate, size and sha256 of each. Anybody on the host may read them."""

    origin: ClassVar[Origin] = Origin.MAVEN
    name: str  # kafka
    lock: str  # kafka.maven
    link: str  # /opt/himari/kafka: a link to the folder of the lock's digest


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """A systemd unit that shall be enabled and active.

    Its "digest of what runs" covers `watches` (files, names of artifacts and trees, credentials) and its own unit files
    and drop-ins among the component's files; when it differs from what is configured, the unit is reloaded or
    restarted."""

    name: str  # redis-server.service
    watches: tuple[str, ...] = ()
    reload: bool = False  # reload instead of restart
    ready: tuple[str, ...] = ()  # argv that succeeds once the unit serves; retried for ready_seconds
    ready_seconds: int = 30
    enabled: bool = True
    active: bool = True  # false: a oneshot that a timer starts
    exposure_max: float | None = None  # it stays below this in systemd-analyze security
    unless_container: bool = False  # what a container cannot run (chrony); its checks are not_covered there


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """A secret of the stack, put as an encrypted systemd credential in `hostpaths.CREDENTIALS`."""

    name: str
    secret: str  # the stack's secret; see himari.vault.secrets


class Place(StrEnum):
    """Which address a listener is bound to."""

    PUBLIC = "public"
    WIREGUARD = "wireguard"
    LOOPBACK = "loopback"


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """A port that this component opens; a check compares them with what the host listens on."""

    name: str
    port: int
    place: Place
    protocol: str = "tcp"
    process: str = ""  # as `ss` names it


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """This component opens connections to `listener` of the hosts with `role`, over the listener's place."""

    role: Role
    listener: str


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """One thing on one host."""

    name: str
    repositories: tuple[Repository, ...] = ()
    packages: tuple[Package, ...] = ()
    users: tuple[User, ...] = ()
    directories: tuple[Directory, ...] = ()
    files: tuple[File, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    trees: tuple[Tree, ...] = ()
    credentials: tuple[Credential, ...] = ()
    secrets: tuple[str, ...] = ()  # those beside that only the running service is told: its users' passwords
    units: tuple[Unit, ...] = ()
    masked: tuple[str, ...] = ()  # units that must not run
    listens_on: tuple[Listener, ...] = ()
    talks_to: tuple[Flow, ...] = ()
    memory_mb: int = 0  # floor
    disk_gb: float = 0  # floor
