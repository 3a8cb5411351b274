"""What a stack file says, as typed values. Reading and refusing is `himari.stack.load`'s; what follows from the
values (addresses, sizes) is `himari.stack.network`'s and `himari.stack.capacity`'s."""

from enum import StrEnum
from typing import Annotated

import msgspec

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
PositiveInt = Annotated[int, msgspec.Meta(gt=0)]
PositiveFloat = Annotated[float, msgspec.Meta(gt=0)]
Fraction = Annotated[float, msgspec.Meta(gt=0, le=1)]


class Role(StrEnum):
    """What a host is for; each day lists the components that a role gets."""

    EXCHANGE = "exchange"
    EDGE = "edge"
    BRAIN = "brain"


class Provider(StrEnum):
    """Where a host comes from."""

    LAB = "lab"  # made on this machine
    STATIC = "static"  # exists already, reached by ssh ("local": this machine)
    HETZNER = "hetzner"
    VULTR = "vultr"


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[stack]`."""

    name: Name
    budget_usd: PositiveFloat | None = None


class Network(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[network]`: the tunnel between the stack's hosts."""

    wireguard: str = "10.77.0.0/24"  # CIDR; hosts get its addresses in the file's order, from .1
    wireguard_port: PositiveInt = 51820
    mtu: PositiveInt = 1420  # 1500 less WireGuard's 60 bytes over IPv4, 20 spare


class Access(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[access]`: who may reach ssh from outside the tunnel."""

    ssh_from: tuple[str, ...] = ()  # CIDRs; the lab adds its bridge
    identity_file: str = ""  # the operator's private key; the lab makes its own


class Venue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[venues.NAME]`: what is collected, and the rates that size everything."""

    symbols: tuple[str, ...]  # unified: BTC/USDT
    frames_per_s: PositiveFloat  # of all symbols together
    bytes_per_s: PositiveFloat  # of all symbols together, uncompressed
    snapshot_levels: PositiveInt = 1000


class Retention(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[retention]`: how long data is held at each stop."""

    journal_hours: PositiveFloat = 24.0
    stream_minutes: PositiveFloat = 30.0
    parquet_days: PositiveFloat = 365.0
    segment_seconds: PositiveInt = 60
    parquet_flush_seconds: PositiveInt = 60


class Alerts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[alerts]`: the dead-man timer's limits and where it calls."""

    webhook: str = ""  # https://...; empty: the timer only writes to the journal
    silence_seconds: PositiveInt = 60
    disk_free: Fraction = 0.2
    gap_seconds: PositiveInt = 60


class Host(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[hosts.NAME]`. `cpus`, `memory_mb` and `disk_gb` are the machine's; a cloud host takes them from its plan."""

    provider: Provider
    roles: tuple[Role, ...]
    address: str = ""  # static: a name, an IP, or "local"
    bootstrap_user: Name = "root"  # who accepts the operator's key before first contact
    ssh_port: PositiveInt = 22
    plan: str = ""
    location: str = ""
    cpus: PositiveInt | None = None
    memory_mb: PositiveInt | None = None
    disk_gb: PositiveInt | None = None
    existing: bool = False  # the user's own machine: it gets WireGuard, its wg0 rules and its roles' services only


class Stack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One installation."""

    stack: Header
    hosts: dict[Name, Host]
    venues: dict[Name, Venue]
    network: Network = Network()
    access: Access = Access()
    retention: Retention = Retention()
    alerts: Alerts = Alerts()

    @property
    def name(self) -> str:
        return self.stack.name

    @property
    def is_lab(self) -> bool:
        return any(host.provider is Provider.LAB for host in self.hosts.values())

    def hosts_with(self, role: Role) -> tuple[str, ...]:
        """The names of the hosts that have `role`, in the file's order."""
        return tuple(name for name, host in self.hosts.items() if role in host.roles)
