"""What a stack file says, as typed values; the descriptions are what `himari schema` prints. Reading and refusing is
`himari.stack.load`'s; what follows from the values is `himari.stack.network`'s and `himari.stack.capacity`'s."""

import re
from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

NAME = re.compile(r"^[a-z][a-z0-9-]{0,30}$")
Name = Annotated[str, Meta(pattern=NAME.pattern)]
PositiveInt = Annotated[int, Meta(gt=0)]
PositiveFloat = Annotated[float, Meta(gt=0)]
Fraction = Annotated[float, Meta(gt=0, lt=1)]
Port = Annotated[int, Meta(gt=0, lt=65536)]
LINE_HOURS_MOST = 23.5  # a venue cuts at 24, and until then the successor must be up, and tried again if it fails
IN_VAULT = "secret"  # in place of a value that is a secret: the stack's vault has it
STORED_GRACE_S = 15  # beyond a flush: the link, and a look that falls between two flushes


class Role(StrEnum):
    """What a host is for; each day lists the components that a role gets."""

    EXCHANGE = "exchange"
    EDGE = "edge"
    BRAIN = "brain"
    FEATURES = "features"
    ANALYTICS = "analytics"
    GRAPH = "graph"
    BROKER = "broker"


class Provider(StrEnum):
    """Where a host comes from."""

    LAB = "lab"  # made on this machine
    STATIC = "static"  # exists already, reached by ssh ("local": this machine)
    HETZNER = "hetzner"
    VULTR = "vultr"


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the stack file."""


class Header(Table, frozen=True, kw_only=True):
    """The installation itself."""

    name: Annotated[Name, Meta(description="Names the state folder and, in a lab, the hosts.", examples=["tokyo"])]
    budget_usd: Annotated[
        PositiveFloat | None, Meta(description="Upper limit of what it may cost, in USD a month.", examples=[200.0])
    ] = None


class Network(Table, frozen=True, kw_only=True):
    """The tunnel between the stack's hosts, and the link that carries it."""

    wireguard: Annotated[
        str, Meta(description="Network of the tunnel (CIDR); edge and brain hosts get its addresses in file order.")
    ] = "10.77.0.0/24"
    wireguard_port: Annotated[Port, Meta(description="UDP port of the tunnel.")] = 51820
    mtu: Annotated[PositiveInt, Meta(description="MTU of the tunnel, in bytes: the path's less 80; 1412 on PPPoE.")] = (
        1420
    )
    link_bytes_per_s: Annotated[
        PositiveFloat, Meta(description="What the link from edge to brain carries, in bytes/s.")
    ] = 2_400_000.0
    round_trip_ms: Annotated[
        PositiveFloat,
        Meta(description="Round trip from edge to brain and back, in ms; it sets how long data is bundled."),
    ] = 150.0


class Access(Table, frozen=True, kw_only=True):
    """Who may reach ssh from outside the tunnel."""

    ssh_from: Annotated[
        tuple[str, ...],
        Meta(description="Networks (CIDR) that you log in from; a lab adds its own.", examples=[["198.51.100.7/32"]]),
    ] = ()
    identity_file: Annotated[
        str,
        Meta(description="Your private key; empty: ssh's own choice. A lab makes one.", examples=["~/.ssh/id_ed25519"]),
    ] = ""


class Venue(Table, frozen=True, kw_only=True):
    """What is collected from a venue, and the rates that size everything."""

    symbols: Annotated[
        tuple[str, ...], Meta(description="Unified symbols, as BASE/QUOTE.", examples=[["BTC/USDT", "ETH/USDT"]])
    ]
    frames_per_s: Annotated[
        PositiveFloat, Meta(description="WebSocket frames a second, all symbols together.", examples=[400.0])
    ]
    bytes_per_s: Annotated[
        PositiveFloat, Meta(description="Bytes/s of those frames, uncompressed.", examples=[100000.0])
    ]
    lines: Annotated[
        int, Meta(ge=1, le=2, description="Connections that carry each symbol; of two, one may fail without a loss.")
    ] = 2
    line_hours: Annotated[
        PositiveFloat,
        Meta(description=f"Age at which a line is replaced, in hours; {LINE_HOURS_MOST} at most: venues cut at 24."),
    ] = 23.0
    snapshot_levels: Annotated[PositiveInt, Meta(description="Price levels a side in a REST book.")] = 1000
    websocket_url: Annotated[
        str, Meta(description="Where its streams are; empty: the venue's own.", examples=["wss://mirror.example.org"])
    ] = ""
    rest_url: Annotated[
        str, Meta(description="Where its REST is; empty: the venue's own.", examples=["https://mirror.example.org"])
    ] = ""
    ca_file: Annotated[
        str,
        Meta(
            description="Certificates (PEM, a file here) that those URLs are checked with; empty: the edge's own.",
            examples=["~/mirror-ca.pem"],
        ),
    ] = ""


class Retention(Table, frozen=True, kw_only=True):
    """How long data is held at each stop."""

    journal_hours: Annotated[PositiveFloat, Meta(description="On the edge's disk, in hours.")] = 24.0
    stream_minutes: Annotated[PositiveFloat, Meta(description="In the edge's Redis, in minutes.")] = 30.0
    parquet_days: Annotated[PositiveFloat, Meta(description="On the brain's disk, in days.")] = 365.0
    analytics_days: Annotated[PositiveInt, Meta(description="In the analytics store, in days.")] = 90
    segment_seconds: Annotated[PositiveInt, Meta(description="Age at which a journal segment is sealed, in s.")] = 60
    parquet_flush_seconds: Annotated[PositiveInt, Meta(description="Age at which a Parquet file is closed, in s.")] = 60

    @property
    def stored_age_most_s(self) -> float:
        """How old the newest stored record may be, in s: it waited for its file, and came over the link."""
        return self.parquet_flush_seconds + STORED_GRACE_S


class Alerts(Table, frozen=True, kw_only=True):
    """The limits of the brain's dead-man timer and where it calls."""

    webhook: Annotated[
        str,
        Meta(
            description='Called with a JSON body; "secret": its URL is among the stack\'s secrets, as `webhook`; '
            "empty: systemd's journal only.",
            examples=["https://example.org/hook"],
        ),
    ] = ""
    silence_seconds: Annotated[PositiveInt, Meta(description="Time without new data that alarms, in s.")] = 60
    disk_free: Annotated[
        Fraction, Meta(description="Free part of a disk (0 to 1) below which it alarms; capacity keeps it free too.")
    ] = 0.2
    gap_seconds: Annotated[PositiveInt, Meta(description="Length of a gap that alarms, in s.")] = 60


class Cutover(Table, frozen=True, kw_only=True):
    """The consumer on the brain that Himari's takes over from, and when the two agree."""

    unit: Annotated[
        str,
        Meta(description="Its systemd service; empty: there is none.", examples=["old-consumer.service"]),
    ] = ""
    count: Annotated[
        str,
        Meta(
            description="Shell command, root's on the brain, that prints how many events of $SYMBOL and $CHANNEL it "
            "holds that were received from $FROM_NS to before $TO_NS (since 1970).",
            examples=["/usr/local/bin/old-consumer-count"],
        ),
    ] = ""
    channels: Annotated[
        tuple[Literal["trade", "depth", "book_ticker"], ...],
        Meta(description="What is counted of each symbol.", min_length=1),
    ] = ("trade",)
    window_seconds: Annotated[PositiveInt, Meta(description="Time over which the counts must agree, in s.")] = 60
    tolerance: Annotated[
        float,
        Meta(description="Share (0 to 1) by which counts may differ; 0 suits a reader of the same buffer.", ge=0, lt=1),
    ] = 0.0
    deadline_seconds: Annotated[PositiveInt, Meta(description="How long agreement is waited for, in s.")] = 900


class Source(Table, frozen=True, kw_only=True):
    """A vendor's repository of Debian packages that hosts fetch from; a component that needs one says so."""

    url: Annotated[
        str,
        Meta(
            description="Where it is: http, https or file.",
            pattern=r"^(https?|file)://[^\s]+$",
            examples=["https://packages.example.org/debian"],
        ),
    ]
    keyring: Annotated[
        str,
        Meta(
            description="The vendor's keyring (a file here); refused unless it is the one that the component pins.",
            examples=["~/vendor.gpg"],
        ),
    ]


class Host(Table, frozen=True, kw_only=True):
    """One machine. Its sizes are the machine's own; a cloud host takes those left out from its plan."""

    provider: Annotated[Provider, Meta(description="lab, static (exists already), hetzner or vultr.")]
    roles: Annotated[
        tuple[Role, ...], Meta(description="edge, brain, broker, features, analytics, graph or, in a lab, exchange.")
    ]
    address: Annotated[
        str, Meta(description='For static: a name, an IP, or "local" (this machine).', examples=["203.0.113.10"])
    ] = ""
    bootstrap_user: Annotated[Name, Meta(description="Who accepts your key at first contact; root or with sudo.")] = (
        "root"
    )
    ssh_port: Annotated[Port, Meta(description="TCP port of ssh.")] = 22
    plan: Annotated[str, Meta(description="The provider's name of the size.", examples=["vhf-2c-4gb"])] = ""
    location: Annotated[str, Meta(description="The provider's name of the region.", examples=["nrt"])] = ""
    cpus: Annotated[PositiveInt | None, Meta(description="Number of CPUs.", examples=[2])] = None
    memory_mb: Annotated[PositiveInt | None, Meta(description="Memory, in MiB.", examples=[4096])] = None
    disk_gb: Annotated[PositiveInt | None, Meta(description="Disk, in GB (10^9 bytes).", examples=[80])] = None
    existing: Annotated[
        bool, Meta(description="Your own machine: it gets the tunnel, its rules and its roles' services, nothing else.")
    ] = False


class Stack(Table, frozen=True, kw_only=True):
    """One installation."""

    stack: Header
    hosts: dict[Name, Host]
    venues: dict[Name, Venue]
    network: Network = Network()
    access: Access = Access()
    retention: Retention = Retention()
    alerts: Alerts = Alerts()
    cutover: Cutover = Cutover()
    sources: dict[Name, Source] = {}

    @property
    def name(self) -> str:
        """The stack's name."""
        return self.stack.name

    @property
    def is_lab(self) -> bool:
        """Whether its hosts are made on this machine."""
        return any(host.provider is Provider.LAB for host in self.hosts.values())

    def hosts_with(self, role: Role) -> tuple[str, ...]:
        """The names of the hosts that have `role`, in the file's order."""
        return tuple(name for name, host in self.hosts.items() if role in host.roles)
