"""How a stack is doing: one look at each host, as typed values, and the verdict that follows."""

import math
from collections.abc import Iterator, Mapping

import msgspec

from himari.stack.cutover_note import CutoverNote, Stage
from himari.stack.model import Retention

DISK_FREE_FLOOR = 0.1  # of a disk; the dead-man timer warns earlier
MEMORY_FREE_FLOOR = 0.05
HANDSHAKE_LIMIT_S = 180.0  # WireGuard makes a new one every 120 s while there is traffic
NO_LINE = "no line"  # how the collector's own status begins
NOT_STORING = "cannot store"  # how the consumer's own status begins
CATCHING_UP = "catching up"  # or so: it was away for longer than the stream holds
SELF_CHECK_LIMIT_S = {"daily": 26 * 3600.0, "weekly": 8 * 24 * 3600.0}  # by name, the age of the last verdict
SELF_CHECK = "himari-self-check-{}.{}"  # daily or weekly, service or timer
ON_HOST = "as root there: "  # before a command for a host that one logs in to
SILENCE_LIMIT_S = 30.0  # a heartbeat is journaled each second
COLLECTOR = "himari-collector.service"
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


def judge(
    host: str, probe: Probe, retention: Retention, enter: str = ON_HOST, first_look_s: float = math.inf
) -> HostStatus:
    """The verdict on a host that could be reached; `retention` says how long records wait for their file.

    `enter` stands before a command that is to be typed on the host. `first_look_s` is how long after its timer's start
    a self-check may not have been made yet."""
    wrong = (*_wrong(probe, retention), *_self_checked(probe, enter), *_not_looked(probe, enter, first_look_s))
    return HostStatus(host=host, probe=probe, wrong=wrong)


def _wrong(probe: Probe, retention: Retention) -> Iterator[str]:
    yield from (unit.says_down for unit in probe.down)
    for unit in (one for one in probe.units if one.well):
        if unit.says.startswith(NO_LINE):
            yield f"{unit.name} has no line to the venue"
        elif unit.says.startswith((NOT_STORING, CATCHING_UP)):
            yield f"{unit.name} {unit.says}"
    if probe.disk.free_bytes < DISK_FREE_FLOOR * probe.disk.total_bytes:
        yield f"{probe.disk.folder} has {probe.disk.free_bytes / 1e9:.1f} GB free of {probe.disk.total_bytes / 1e9:.0f}"
    if probe.memory.available_mb < MEMORY_FREE_FLOOR * probe.memory.total_mb:
        yield f"{probe.memory.available_mb} MB of memory left of {probe.memory.total_mb}"
    yield from _silent(probe, retention)
    yield from _cut_over(probe)


def _cut_over(probe: Probe) -> Iterator[str]:
    note, old = probe.cutover, probe.old_consumer
    if note and note.next_step:
        yield f"a cutover is half done since {note.at} ({note.stage}): himari {note.next_step}"
    if note and old and note.stage is Stage.BACK and not old.well:
        yield f"{note.says}, but {old.says_down}: its journal says why"


def _silent(probe: Probe, retention: Retention) -> Iterator[str]:
    for tunnel in probe.tunnels:
        if tunnel.handshake_s is None:
            yield f"no WireGuard handshake with {tunnel.peer} yet"
        elif tunnel.handshake_s > HANDSHAKE_LIMIT_S:
            yield f"last WireGuard handshake with {tunnel.peer} {tunnel.handshake_s:.0f} s ago"
    # What is stored is old then: not for long, or because another consumer stores.
    behind = CONSUMER in probe.aside or any(unit.says.startswith(CATCHING_UP) for unit in probe.units)
    active = {unit.name: unit.active_s or 0.0 for unit in probe.units}
    for health in probe.health:
        known = msgspec.structs.replace(health, parquet=None) if behind else health
        yield from _stale(known, retention)
        yield from _empty(known, active, retention)


def _stale(health: Health, retention: Retention) -> Iterator[str]:
    if health.error:
        yield health.error
    # A quiet symbol is not a fault; a quiet heartbeat is.
    ages = [(stream.name, stream.age_s, SILENCE_LIMIT_S) for stream in health.streams if stream.name.endswith(":meta")]
    if health.journal:
        ages.append(("the journal's newest record", health.journal.newest_age_s, SILENCE_LIMIT_S))
    if health.parquet:
        ages.append(("the newest record in Parquet", health.parquet.last_age_s, retention.stored_age_most_s))
        most = SILENCE_LIMIT_S + retention.stored_age_most_s
        ages.append(("the venue's newest frame in Parquet", health.parquet.last_frame_age_s, most))
    for stream in health.streams:
        # The edge tells ages by the journal's newest two segments; what is older than these is not in them.
        if stream.name.endswith(":meta") and stream.age_s is None and stream.length and health.journal:
            yield f"{stream.name}: its last entry, {stream.last_id}, is older than the journal's last two segments"
    for name, age, most in ages:
        if age is not None and age > most:
            yield f"{name} is {age:.0f} s old"


def _empty(health: Health, active: Mapping[str, float], retention: Retention) -> Iterator[str]:
    """What holds nothing although the unit that fills it has been `active`, in seconds, for longer than that takes."""
    collects, stores = active.get(COLLECTOR, 0.0), active.get(CONSUMER, 0.0)
    if health.journal and health.journal.newest_age_s is None and collects > SILENCE_LIMIT_S:
        yield f"the journal has no record, and {COLLECTOR} has been active for {collects:.0f} s"
    if health.parquet and health.parquet.last_age_s is None and stores > retention.stored_age_most_s:
        yield f"there is no record in Parquet, and {CONSUMER} has been active for {stores:.0f} s"
    for stream in health.streams:
        if stream.name.endswith(":meta") and not stream.length and max(collects, stores) > SILENCE_LIMIT_S:
            yield f"{stream.name} is empty"


def _self_checked(probe: Probe, enter: str) -> Iterator[str]:
    """What the host's own looks found, or that they are old, with the command that looks again."""
    for one in probe.self_checks:
        again = _looks_again(one.name, enter)
        if one.age_s > SELF_CHECK_LIMIT_S[one.name]:
            yield f"its {one.name} self-check is {one.age_s / 3600:.0f} hours old; {again}"
        if one.wrong:
            found = "; ".join(one.wrong)
            yield f"{one.name} self-check, {one.age_s / 3600:.1f} hours ago: {found}; {again}"


def _not_looked(probe: Probe, enter: str, first_look_s: float) -> Iterator[str]:
    for one in probe.unlooked:
        if one.waited_s > first_look_s:
            again = _looks_again(one.name, enter)
            yield f"no {one.name} self-check was made, and its timer has been active for {one.waited_s:.0f} s; {again}"


def _looks_again(name: str, enter: str) -> str:
    return f"looks again: {enter}systemctl start himari-self-check-{name}"
