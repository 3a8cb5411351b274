"""`himari status`."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from himari.cli.arguments import Json, StackName

if TYPE_CHECKING:
    from himari.runs.status import HostStatus, Probe, StackStatus, Tunnel


def status(stack: StackName, as_json: Json = False) -> int:
    """Show how each host is doing, in one table; the exit code is the verdict: 0, or 7 when something is wrong.

    Example: himari status lab-edge --json
    """
    from himari.cli.display import progress
    from himari.cli.output import print_json
    from himari.runs.look import look
    from himari.stack.errors import ProofFailed
    from himari.stack.load import load_stack

    loaded = load_stack(stack)
    with progress() as listener:
        seen = look(loaded, listener)
    if as_json:
        print_json(seen)
    else:
        _show(seen)
    return 0 if seen.ok else ProofFailed.exit_code


def _show(seen: "StackStatus") -> None:
    from himari.cli.output import show, table

    shown = [_lines(host) for host in seen.hosts]
    labels = list(dict.fromkeys(label for lines in shown for label in lines))
    rows = [(label, *(lines.get(label, "") for lines in shown)) for label in labels]
    show(table(f"{seen.stack}: {'well' if seen.ok else 'UNWELL'}", ("", *(host.host for host in seen.hosts)), rows))
    for host in seen.hosts:
        show(*(f"{host.host}: {what}" for what in host.wrong))
        show(*(f"{host.host}: {line}" for line in (host.probe.errors if host.probe else ())))


def _lines(host: "HostStatus") -> dict[str, str]:
    if host.probe is None:
        return {"units": "unreachable"}
    probe = host.probe
    lines = {
        "units": _units(probe),
        "cpu, % per core": " ".join(f"{percent:.0f}" for percent in probe.cpu_percent),
        "memory": f"{probe.memory.available_mb:,} of {probe.memory.total_mb:,} MB free",
        "disk": f"{_size(probe.disk.free_bytes)} of {_size(probe.disk.total_bytes)} free",
    }
    if probe.venue_round_trip_ms is not None:
        lines["venue round trip"] = f"{probe.venue_round_trip_ms:.1f} ms"
    return lines | dict(_data(probe)) | dict(_tunnels(probe.tunnels))


def _units(probe: "Probe") -> str:
    down = [unit.name for unit in probe.units if not unit.well]
    return f"{len(probe.units) - len(down)} well" + "".join(f", {name} DOWN" for name in down)


def _data(probe: "Probe") -> Iterator[tuple[str, str]]:
    for health in probe.health:
        if held := health.journal:
            yield "journal", f"{_size(held.bytes)} in {held.segments} segments, oldest {_age(held.oldest_age_s)}"
        if store := health.parquet:
            yield "parquet", f"{_size(store.bytes)} in {store.files} files, newest {_age(store.last_age_s)}"
        if health.backlog_records is not None:
            yield "backlog", f"{health.backlog_records:,} records"
        for stream in health.streams:
            last = stream.last_id if stream.age_s is None else _age(stream.age_s)
            yield stream.name, f"{stream.length:,} entries, last {last}"


def _tunnels(tunnels: Iterable["Tunnel"]) -> Iterator[tuple[str, str]]:
    for tunnel in tunnels:
        trip = f"{tunnel.round_trip_ms:.1f} ms" if tunnel.round_trip_ms is not None else "no answer"
        yield "wireguard", f"to {tunnel.peer}: {trip}, handshake {_age(tunnel.handshake_s)}"
        yield "link", f"{_size(tunnel.received_bytes)} in, {_size(tunnel.sent_bytes)} out"


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
