"""How a stack is doing: one look at each host, as typed values, and the verdict that follows."""

from collections.abc import Iterator

import msgspec

DISK_FREE_FLOOR = 0.1  # of a disk; the dead-man timer warns earlier
MEMORY_FREE_FLOOR = 0.05
HANDSHAKE_LIMIT_S = 180.0  # WireGuard makes a new one every 120 s while there is traffic
STREAM_AGE_LIMIT_S = 30.0  # a heartbeat arrives each second


class UnitState(msgspec.Struct, frozen=True, kw_only=True):
    """A systemd unit; `says` is its own status text."""

    name: str
    active: str
    sub: str
    result: str
    restarts: int
    says: str = ""

    @property
    def well(self) -> bool:
        # A oneshot that a timer starts is inactive most of the time, and its last result tells how it went.
        return self.active == "active" or (self.active == "inactive" and self.result == "success")


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    total_mb: int
    available_mb: int


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    folder: str
    total_bytes: int
    free_bytes: int


class JournalSize(msgspec.Struct, frozen=True, kw_only=True):
    segments: int
    bytes: int
    oldest_s: float


class Tunnel(msgspec.Struct, frozen=True, kw_only=True):
    """A WireGuard peer; bytes since the interface came up."""

    peer: str
    handshake_s: float | None
    received_bytes: int
    sent_bytes: int
    round_trip_ms: float | None


class StreamState(msgspec.Struct, frozen=True, kw_only=True):
    """A Redis stream and the age of its last entry."""

    name: str
    length: int
    age_s: float | None


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """What a service of ours says about itself."""

    service: str = ""
    streams: tuple[StreamState, ...] = ()
    venue_round_trip_ms: float | None = None
    newest_record_s: float | None = None


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """What `status_probe` saw on a host."""

    units: tuple[UnitState, ...]
    cpu_percent: tuple[float, ...]
    memory: Memory
    disk: Disk
    journal: JournalSize | None = None
    tunnels: tuple[Tunnel, ...] = ()
    health: tuple[Health, ...] = ()
    errors: tuple[str, ...] = ()


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


def read_probe(text: bytes) -> Probe:
    """The probe's output as values. Raises msgspec.DecodeError when it is something else."""
    return msgspec.json.decode(text, type=Probe)


def judge(host: str, probe: Probe) -> HostStatus:
    """The verdict on a host that could be reached."""
    return HostStatus(host=host, probe=probe, wrong=tuple(_wrong(probe)))


def _wrong(probe: Probe) -> Iterator[str]:
    for unit in probe.units:
        if not unit.well:
            yield f"{unit.name} is {unit.active} ({unit.sub}, {unit.result})"
    if probe.disk.free_bytes < DISK_FREE_FLOOR * probe.disk.total_bytes:
        yield f"{probe.disk.folder} has {probe.disk.free_bytes / 1e9:.1f} GB free of {probe.disk.total_bytes / 1e9:.0f}"
    if probe.memory.available_mb < MEMORY_FREE_FLOOR * probe.memory.total_mb:
        yield f"{probe.memory.available_mb} MB of memory left of {probe.memory.total_mb}"
    yield from _silent(probe)


def _silent(probe: Probe) -> Iterator[str]:
    for tunnel in probe.tunnels:
        if tunnel.handshake_s is None:
            yield f"no WireGuard handshake with {tunnel.peer} yet"
        elif tunnel.handshake_s > HANDSHAKE_LIMIT_S:
            yield f"last WireGuard handshake with {tunnel.peer} {tunnel.handshake_s:.0f} s ago"
    for health in probe.health:
        if health.newest_record_s is not None and health.newest_record_s > STREAM_AGE_LIMIT_S:
            yield f"{health.service}: newest record is {health.newest_record_s:.0f} s old"
        # A quiet symbol is not a fault; streams that carry the heartbeat are.
        for stream in health.streams:
            if stream.name.endswith(":meta") and stream.age_s is not None and stream.age_s > STREAM_AGE_LIMIT_S:
                yield f"{stream.name}: last entry {stream.age_s:.0f} s ago"
