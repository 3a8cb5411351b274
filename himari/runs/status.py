"""How a stack is doing: what one look at each host saw, as typed values. What is wrong with it is `verdict`'s."""

import msgspec

from himari.stack.cutover_note import CutoverNote, Stage

SELF_CHECK_LIMIT_S = {"daily": 26 * 3600.0, "weekly": 8 * 24 * 3600.0}  # by name, the age of the last verdict
SELF_CHECK = "himari-self-check-{}.{}"  # daily or weekly, service or timer
CONSUMER = "himari-consumer.service"
# What a rollback disables, each with what it alone starts.
PUT_ASIDE = {CONSUMER: (), "himari-deadman.timer": ("himari-deadman.service",)}


class UnitState(msgspec.Struct, frozen=True, kw_only=True):
    """A systemd unit; `says` is its own status text, `timed` says that a timer starts it.

    `active_s`: for how long it has been active; `enabled`: systemd's word for whether it starts with the host."""

    name: str
    active: str
    sub: str
    result: str
    restarts: int
    says: str = ""
    timed: bool = False
    active_s: float | None = None
    enabled: str = ""

    @property
    def well(self) -> bool:
        # What a timer starts is inactive most of the time, and its last result tells how it went.
        return self.result == "success" and self.active != "failed" if self.timed else self.active == "active"

    @property
    def says_down(self) -> str:
        """That it is not well, in systemd's words."""
        if self.timed:
            return f"{self.name} failed when it last ran ({self.result}): its journal says why"
        result = "" if self.result == "success" else f", {self.result}"
        return f"{self.name} is {self.active} ({self.sub}{result})"


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    total_mb: int
    available_mb: int


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    folder: str
    total_bytes: int
    free_bytes: int


class Tunnel(msgspec.Struct, frozen=True, kw_only=True):
    """A WireGuard peer; bytes since the interface came up."""

    peer: str
    handshake_s: float | None
    received_bytes: int
    sent_bytes: int
    round_trip_ms: float | None


class Journal(msgspec.Struct, frozen=True, kw_only=True):
    """The edge's journal; ages by the records' times."""

    bytes: int
    segments: int
    oldest_age_s: float | None
    newest_age_s: float | None
    lines: int | None = None  # to the venue, that there should be and that are up
    lines_up: int | None = None


class Parquet(msgspec.Struct, frozen=True, kw_only=True):
    """The brain's store; bytes and files of the day that is being written."""

    bytes: int
    files: int
    last_age_s: float | None
    last_frame_age_s: float | None = None  # of the venue itself


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """A Redis stream; the age of its last entry is known on the edge."""

    name: str
    length: int
    last_id: str
    age_s: float | None = None


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """What `himari-runtime health` says of a host's data; `error` says why the buffer could not be asked."""

    source: str
    journal: Journal | None = None
    parquet: Parquet | None = None
    streams: tuple[Stream, ...] = ()
    backlog_records: int | None = None
    error: str = ""


class SelfCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict of a host's own look, by its timer."""

    name: str  # daily, weekly
    age_s: float
    wrong: tuple[str, ...]


class LoggedError(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the host's journal, of the last hour; `at` in UTC. Its cause may be long gone."""

    unit: str
    at: str
    says: str


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate of the stack's CA as it lies on the host."""

    name: str  # features.pem
    days_left: float


class Unlooked(msgspec.Struct, frozen=True, kw_only=True):
    """A self-check that left no verdict; `waited_s` is for how long its timer has been active."""

    name: str
    waited_s: float


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """What `status_probe` saw on a host."""

    units: tuple[UnitState, ...]
    cpu_percent: tuple[float, ...]
    memory: Memory
    disk: Disk
    tunnels: tuple[Tunnel, ...] = ()
    health: tuple[Health, ...] = ()
    venue_round_trip_ms: float | None = None
    errors: tuple[LoggedError, ...] = ()
    cutover: CutoverNote | None = None
    old_consumer: UnitState | None = None  # the one that the cutover's note names
    self_checks: tuple[SelfCheck, ...] = ()
    certificates: tuple[Certificate, ...] = ()

    @property
    def aside(self) -> frozenset[str]:
        """The units that do not run because a rollback put the old consumer in charge; `himari up` starts them."""
        if self.cutover is None or self.cutover.stage is not Stage.BACK:
            return frozenset()
        off = {unit.name for unit in self.units if unit.active != "active" and unit.enabled == "disabled"}
        return frozenset(name for unit, started in PUT_ASIDE.items() if unit in off for name in (unit, *started))

    @property
    def down(self) -> tuple[UnitState, ...]:
        """The units that should run, or should have ended well, and did not."""
        return tuple(unit for unit in self.units if not unit.well and unit.name not in self.aside)

    @property
    def unlooked(self) -> tuple[Unlooked, ...]:
        """The self-checks of which the host has a timer and no verdict; one that is being made is none."""
        made = {check.name for check in self.self_checks}
        made |= {name for name in SELF_CHECK_LIMIT_S if self._unit(SELF_CHECK.format(name, "service"), "activating")}
        timers = {name: self._unit(SELF_CHECK.format(name, "timer"), "active") for name in SELF_CHECK_LIMIT_S}
        return tuple(
            Unlooked(name=name, waited_s=timer.active_s or 0.0)
            for name, timer in timers.items()
            if timer and name not in made
        )

    def _unit(self, name: str, active: str) -> UnitState | None:
        return next((unit for unit in self.units if (unit.name, unit.active) == (name, active)), None)


class HostStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A host: what was seen, or why nothing could be, and all that is wrong with it."""

    host: str
    probe: Probe | None
    wrong: tuple[str, ...]


class StackStatus(msgspec.Struct, frozen=True, kw_only=True):
    """All hosts of a stack."""

    stack: str
    ok: bool
    hosts: tuple[HostStatus, ...]
    half: str = ""  # why it is no whole stack, and what helps
    faults: tuple[str, ...] = ()  # that are in force in its lab
    strays: tuple[str, ...] = ()  # hosts that left the stack file and are not looked at
    shared: bool = False  # its hosts share this machine, and see its CPUs, memory and disk as theirs


def read_probe(text: bytes) -> Probe:
    """The probe's output as values. Raises msgspec.DecodeError when it is something else."""
    return msgspec.json.decode(text, type=Probe)
