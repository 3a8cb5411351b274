"""`himari status`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from himari.cli.arguments import Json, StackName
from himari.stack.errors import ProofFailed

if TYPE_CHECKING:
    from himari.runs.status import Health, HostStatus, StackStatus, Tunnel

SHARED = "CPUs, memory and disk are this machine's: the lab's hosts share them"

ERRORS_SHOWN = 3  # of a host


def status(stack: StackName, as_json: Json = False) -> int:
    """Show how each host is doing, in one table; the exit code is the verdict: 0, or 7 when something is wrong.

    Example: himari status lab-edge --json
    """
    from himari.cli.display import progress
    from himari.cli.output import print_json
    from himari.runs.look import look
    from himari.stack.load import load_stack

    loaded = load_stack(stack)
    with progress() as listener:
        seen = look(loaded, listener)
    if as_json:
        print_json(seen)
    else:
        show_status(seen)
    return 0 if seen.ok else ProofFailed.exit_code


def show_status(seen: "StackStatus") -> None:
    """Print the table, what was logged, and all that is wrong."""
    from himari.cli.output import show, table

    shown = [dict(_lines(host)) for host in seen.hosts]
    labels = list(dict.fromkeys(label for lines in shown for label in lines))
    rows = [(label, *(lines.get(label, "") for lines in shown)) for label in labels]
    show(table(f"{seen.stack}: {_verdict(seen)}", ("", *(host.host for host in seen.hosts)), rows))
    show(*([SHARED] if seen.shared else []))
    show(*seen.strays)
    show(*(line for host in seen.hosts for line in _rolled_back(host)))
    show(*(line for host in seen.hosts for line in _logged(host, seen.ok)))
    wrong = [f"{host.host}: {what}" for host in seen.hosts for what in host.wrong]
    wrong += [f"{seen.stack}: {seen.half}"] if seen.half else []
    wrong += [f"{seen.stack}: a fault is in force: {one}; himari lab heal ends it" for one in seen.faults]
    show(*wrong, *([f"{seen.stack} is unwell, exit code {ProofFailed.exit_code}"] if wrong else []))


def _rolled_back(host: "HostStatus") -> Iterator[str]:
    """Who stores in place of ours: a cell has no room for it."""
    if host.probe and host.probe.cutover and host.probe.aside:
        yield f"{host.host}: {host.probe.cutover.says}"


def _logged(host: "HostStatus", well: bool) -> Iterator[str]:
    """The host's last errors; beside a verdict of unwell those of a unit that is well would read as its reason."""
    if host.probe:
        down = {unit.name for unit in host.probe.down}
        told = [error for error in host.probe.errors if well or error.unit in down]
        for error in told[-ERRORS_SHOWN:]:
            yield f"{host.host}, logged earlier: {error.at} {error.unit}: {error.says}"


def _verdict(seen: "StackStatus") -> str:
    return "well" if seen.ok else "UNWELL"


def _lines(host: "HostStatus") -> Iterator[tuple[str, str]]:
    """Label and cell of each line about a host; short, so that three hosts fit 80 columns."""
    if host.probe is None:
        yield "units", "unreachable"
        return
    probe = host.probe
    well, down = sum(unit.well for unit in probe.units), len(probe.down)
    yield "units", f"{well} well" + (f", {down} DOWN" if down else "")
    yield "cpu, % per core", " ".join(f"{percent:.0f}" for percent in probe.cpu_percent)
    yield "memory free", f"{probe.memory.available_mb / 1024:.1f} of {probe.memory.total_mb / 1024:.1f} GB"
    yield "disk free", f"{probe.disk.free_bytes / 1e9:.0f} of {probe.disk.total_bytes / 1e9:.0f} GB"
    if probe.venue_round_trip_ms is not None:
        yield "venue round trip", f"{probe.venue_round_trip_ms:.1f} ms"
    for health in probe.health:
        yield from _data(health)
    for tunnel in probe.tunnels:
        yield from _tunnel(tunnel)
    for certificate in probe.certificates:
        yield certificate.name, f"{certificate.days_left:.0f} days left"
    for check in probe.self_checks:
        yield f"{check.name} self-check", f"{len(check.wrong) or 'nothing'} wrong, {_age(check.age_s)}"
    for missing in probe.unlooked:
        yield f"{missing.name} self-check", "not looked yet"
    if probe.cutover:
        yield "cutover", probe.cutover.stage
        yield "cutover, since", probe.cutover.at.removesuffix("+00:00")


def _data(health: "Health") -> Iterator[tuple[str, str]]:
    if held := health.journal:
        if held.lines is not None:
            yield "venue lines", f"{held.lines_up} of {held.lines}"
        yield "journal", f"{_size(held.bytes)}, {held.segments} files"
        yield "journal, oldest", _age(held.oldest_age_s)
    if store := health.parquet:
        yield "parquet, last day", f"{_size(store.bytes)}, {store.files} files"
        yield "parquet, newest", _age(store.last_age_s)
    if health.backlog_records is not None:
        # Below zero when the store went on while the buffer was being asked.
        yield "backlog", f"{max(0, health.backlog_records):,} records"
    for stream in health.streams:
        last = f"old, id {stream.last_id}" if stream.age_s is None else _age(stream.age_s)
        yield stream.name.removeprefix("md:").partition(":")[2], f"{stream.length:,}, {last}"


def _tunnel(tunnel: "Tunnel") -> Iterator[tuple[str, str]]:
    trip = f"{tunnel.round_trip_ms:.1f} ms" if tunnel.round_trip_ms is not None else "no answer"
    yield f"{tunnel.peer}: round trip", trip
    yield f"{tunnel.peer}: handshake", _age(tunnel.handshake_s)
    yield f"{tunnel.peer}: in, out", f"{_size(tunnel.received_bytes)}, {_size(tunnel.sent_bytes)}"


def _age(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    return f"{seconds:.1f} s ago" if seconds < 120 else f"{seconds / 60:.0f} min ago"


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"
