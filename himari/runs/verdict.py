"""What is wrong with a host, by what one look at it saw."""

import math
from collections.abc import Iterator, Mapping

import msgspec

from himari.runs.status import CONSUMER, SELF_CHECK_LIMIT_S, Health, HostStatus, Probe
from himari.stack.cutover_note import Stage
from himari.stack.model import Retention

DISK_FREE_FLOOR = 0.1  # of a disk; the dead-man timer warns earlier
MEMORY_FREE_FLOOR = 0.05
HANDSHAKE_LIMIT_S = 180.0  # WireGuard makes a new one every 120 s while there is traffic
NO_LINE = "no line"  # how the collector's own status begins
NOT_STORING = "cannot store"  # how the consumer's own status begins
CATCHING_UP = "catching up"  # or so: it was away for longer than the stream holds
ON_HOST = "as root there: "  # before a command for a host that one logs in to
CERTIFICATE_DAYS = 14  # `himari up` renews them 30 days before they end
SILENCE_LIMIT_S = 30.0  # a heartbeat is journaled each second
COLLECTOR = "himari-collector.service"


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
    for certificate in probe.certificates:
        if certificate.days_left < CERTIFICATE_DAYS:
            yield f"{certificate.name} ends in {certificate.days_left:.0f} days: himari up renews it"


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
