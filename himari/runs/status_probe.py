"""Runs on a host, with nothing but its python3 (sent over ssh): looks once and prints one JSON object.

Argument: one JSON object {units, timed, beyond_containers, ours, folder, peers: {name: wireguard address}, runtime,
credstore, health: [{settings, credential, user}, ...], collector, patience_s, cutover, self_checks, certificates}; a
timer starts the units in `timed`, `cutover` is a file and `self_checks` a folder of what the host has noted itself,
`certificates` (it may be left out) are files that are told as they are."""

import json
import os
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SHOWN = "Id,ActiveState,ActiveEnterTimestampMonotonic,SubState,NRestarts,Result,StatusText,UnitFileState"
CONTAINER = "/run/systemd/container"  # systemd makes it in a container
# Of an entry, the unit: first as systemd names it when it speaks of one, then as it notes who spoke.
UNIT_FIELDS = ("UNIT", "OBJECT_SYSTEMD_UNIT", "COREDUMP_UNIT", "_SYSTEMD_UNIT")
PAUSE_S = 0.4  # between the two looks at /proc/stat


def said(argv: Sequence[str], seconds: float = 8.0) -> str:
    """What a command prints; empty when it fails or is not there."""
    try:
        return subprocess.run(argv, capture_output=True, text=True, timeout=seconds, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def units(names: list[str], timed: list[str]) -> Iterator[dict[str, Any]]:
    shown = said(["systemctl", "show", "--property=" + SHOWN, *names]) if names else ""
    for block in filter(None, shown.split("\n\n")):
        fields = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        yield {
            "name": fields.get("Id", ""),
            "active": fields.get("ActiveState", ""),
            "sub": fields.get("SubState", ""),
            "result": fields.get("Result", ""),
            "restarts": int(fields.get("NRestarts") or 0),
            "active_s": active_seconds(fields),
            "says": fields.get("StatusText", ""),
            "enabled": fields.get("UnitFileState", ""),
            "timed": fields.get("Id", "") in timed,
        }


def active_seconds(fields: dict[str, str]) -> float | None:
    """How long a unit has been active; None for one that is not."""
    since = int(fields.get("ActiveEnterTimestampMonotonic") or 0)  # microseconds
    if fields.get("ActiveState") != "active" or not since:
        return None
    return round(time.monotonic() - since / 1e6, 1)


def ticks() -> Iterator[tuple[int, int]]:
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith("cpu") and line[3].isdigit():
            numbers = [int(number) for number in line.split()[1:9]]
            yield sum(numbers), numbers[3] + numbers[4]


def cpu_percent() -> Iterator[float]:
    before = list(ticks())
    time.sleep(PAUSE_S)
    for (total, idle), (total_after, idle_after) in zip(before, ticks(), strict=False):
        spent = total_after - total
        yield round(100 * (1 - (idle_after - idle) / spent), 1) if spent else 0.0


def memory() -> dict[str, int]:
    lines = Path("/proc/meminfo").read_text().splitlines()
    fields = {line.split(":")[0]: int(line.split()[1]) // 1024 for line in lines}
    return {"total_mb": fields["MemTotal"], "available_mb": fields["MemAvailable"]}


def disk(folder: str) -> dict[str, Any]:
    there = folder if Path(folder).exists() else "/"
    room = os.statvfs(there)
    return {"folder": there, "total_bytes": room.f_blocks * room.f_frsize, "free_bytes": room.f_bavail * room.f_frsize}


def tunnels(peers: dict[str, str]) -> Iterator[dict[str, Any]]:
    rows = [line.split("\t") for line in said(["wg", "show", "wg0", "dump"]).splitlines()[1:]]
    for row in rows:
        address = row[3].split("/")[0]
        name = next((name for name, at in peers.items() if at == address), address)
        yield {
            "peer": name,
            "handshake_s": time.time() - int(row[4]) if int(row[4]) else None,
            "received_bytes": int(row[5]),
            "sent_bytes": int(row[6]),
            "round_trip_ms": round_trip(address),
        }


def round_trip(address: str) -> float | None:
    for line in said(["ping", "-n", "-c", "1", "-W", "2", address]).splitlines():
        if "time=" in line:
            return float(line.split("time=")[1].split()[0])
    return None


def errors(names: list[str]) -> Iterator[dict[str, str]]:
    """What the journal has of the last hour, each with the unit that it is of."""
    if not names:
        return
    chosen = [word for name in names for word in ("-u", name)]
    shown = f"--output-fields=MESSAGE,{','.join(UNIT_FIELDS)}"
    argv = ["journalctl", "-q", "-p", "err", "-n", "10", "--since=-1h", "--no-pager", "-o", "json", shown, *chosen]
    for line in said(argv).splitlines():
        fields = json.loads(line)
        at = datetime.fromtimestamp(int(fields["__REALTIME_TIMESTAMP"]) / 1e6, tz=UTC)
        yield {
            "unit": next((fields[name] for name in UNIT_FIELDS if name in fields), ""),
            "at": at.isoformat(timespec="seconds"),
            "says": text(fields.get("MESSAGE")),
        }


def text(message: Any) -> str:
    """A message of the journal, which gives one that is no UTF-8 as a list of bytes, and a long one as null."""
    return bytes(message).decode(errors="replace") if isinstance(message, list) else str(message or "(long)")


def health(runtime: str, credstore: str, services: list[dict[str, str]], seconds: float) -> Iterator[Any]:
    """What our services say of themselves; they read their credentials as they do when systemd starts them."""
    for service in services:
        argv = [runtime, "health", "--json", "--settings", service["settings"]]
        try:
            yield json.loads(as_service(credstore, service, argv, seconds))
        except ValueError:
            yield {"source": service["user"], "error": f"the health command of {service['user']} gives no answer"}


def as_service(credstore: str, service: dict[str, str], argv: Sequence[str], seconds: float) -> str:
    """What a command prints that runs as a service does, with its user and its credential."""
    name = service["credential"]
    load = f"LoadCredentialEncrypted={name}:{credstore}/{name}"
    run = ["systemd-run", "-q", "--pipe", "--wait", "--collect", "-p", load, "-p", f"User={service['user']}"]
    return said([*run, *argv], seconds)


def noted(path: str) -> Any:
    """What a file of the host's own says; None where there is none, or it is spoiled."""
    try:
        return json.loads(Path(path).read_text())
    except (OSError, ValueError):
        return None


def old_consumer(note: Any) -> dict[str, Any] | None:
    """How the consumer is from which a cutover, by its `note`, was begun."""
    named = note.get("unit") if isinstance(note, dict) else None
    return next(units([named], []), None) if named else None


def self_checks(folder: str) -> Iterator[dict[str, Any]]:
    """The verdicts of the host's own daily and weekly looks, with their age."""
    for path in sorted(Path(folder).glob("*.json")) if folder else ():
        if said_there := noted(str(path)):
            yield {**said_there, "age_s": round(time.time() - said_there["at"], 1)}


def texts(paths: list[str]) -> dict[str, str]:
    """What files hold; those that are not there are left out."""
    return {path: Path(path).read_text(errors="replace") for path in paths if Path(path).is_file()}


def venue_round_trip_ms(settings: str) -> float | None:
    """The time of one TCP handshake with the venue that the collector's settings name."""
    if not settings:
        return None
    try:
        url = urlsplit(tomllib.loads(Path(settings).read_text())["venue"]["websocket_url"])
        address = socket.gethostbyname(url.hostname or "")
        started = time.perf_counter()
        with socket.create_connection((address, url.port or 443), timeout=3):
            return round(1000 * (time.perf_counter() - started), 2)
    except (OSError, KeyError, ValueError):
        return None


def look(wanted: dict[str, Any]) -> dict[str, Any]:
    """All that was seen."""
    impossible = wanted["beyond_containers"] if Path(CONTAINER).exists() else ()
    note = noted(wanted["cutover"])
    return {
        "units": list(units([name for name in wanted["units"] if name not in impossible], wanted["timed"])),
        "cpu_percent": list(cpu_percent()),
        "memory": memory(),
        "disk": disk(wanted["folder"]),
        "tunnels": list(tunnels(wanted["peers"])),
        "health": list(health(wanted["runtime"], wanted["credstore"], wanted["health"], wanted["patience_s"])),
        "venue_round_trip_ms": venue_round_trip_ms(wanted["collector"]),
        "errors": list(errors(wanted["ours"])),
        "cutover": note,
        "old_consumer": old_consumer(note),
        "self_checks": list(self_checks(wanted["self_checks"])),
        "pem": texts(wanted.get("certificates", [])),
    }


if __name__ == "__main__":
    json.dump(look(json.loads(sys.argv[1])), sys.stdout)
