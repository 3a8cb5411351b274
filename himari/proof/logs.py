"""What the stack's units logged while they were proven, as text files beside the evidence.

No secret can be in them: only Himari's own units and Redis are read, which have their secrets as files that systemd
gives them, and whatever is as long and as mixed as a key is struck out before it is written."""

import re
import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from himari.proof.probe import Runner
from himari.stack.errors import HostError

LINES = 300  # of one unit, the newest
FOLDER = "logs"
OURS = re.compile(r"(himari-[\w-]+|redis-server)\.service")
# Our own secrets and digests are hexadecimal, WireGuard's and TLS's keys base64: long, and in both cases.
KEY_LIKE = re.compile(r"[0-9a-fA-F]{24,}|(?=[\w+/=-]*[a-z])(?=[\w+/=-]*[A-Z])[\w+/=-]{24,}")
STRUCK = "[struck out]"


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """A file of log lines; `path` is relative to the evidence."""

    host: str
    unit: str
    path: str
    lines: int
    warnings: int  # of them, at level warning or worse


class Entry(msgspec.Struct, frozen=True):
    """A line of the journal, as `journalctl -o json` gives it."""

    at_us: str = msgspec.field(name="__REALTIME_TIMESTAMP")
    message: str | list[int] | None = msgspec.field(name="MESSAGE", default=None)  # numbers: it was not UTF-8
    priority: str = msgspec.field(name="PRIORITY", default="6")
    by: str = msgspec.field(name="_SYSTEMD_UNIT", default="")
    about: str = msgspec.field(name="UNIT", default="")  # when systemd itself speaks

    @property
    def unit(self) -> str:
        return self.about or self.by

    @property
    def warns(self) -> bool:
        return int(self.priority) <= 4

    def line(self) -> str:
        at = datetime.fromtimestamp(int(self.at_us) / 1e6, UTC)
        text = self.message if isinstance(self.message, str) else "(not text)"
        return f"{at:%Y-%m-%d %H:%M:%S.%f} {'! ' if self.warns else '  '}{KEY_LIKE.sub(STRUCK, text)}"


def collect(run: Runner, units: Iterable[tuple[str, Iterable[str]]], since_ns: int, beside: Path) -> list[Log]:
    """Write what units of hosts (host, some of its units) logged since `since_ns` below the folder `beside`.

    What was there before is replaced. A host that does not answer has no logs; its checks say why."""
    shutil.rmtree(beside / FOLDER, ignore_errors=True)
    asked: dict[str, set[str]] = {}
    for host, names in units:
        asked.setdefault(host, set()).update(filter(OURS.fullmatch, names))
    with ThreadPoolExecutor(max(1, len(asked))) as pool:
        answers = pool.map(lambda host: _entries(run, host, sorted(asked[host]), since_ns), asked)
        return [
            log
            for host, entries in zip(asked, answers, strict=True)
            for unit in sorted(asked[host])
            if (log := _write(beside, host, unit, [entry for entry in entries if entry.unit == unit]))
        ]


def _entries(run: Runner, host: str, units: Sequence[str], since_ns: int) -> list[Entry]:
    if not units:
        return []
    named = [word for unit in units for word in ("-u", unit)]
    kept = ("-n", str(LINES * len(units)), f"--since=@{since_ns // 10**9}")
    fields = "--output-fields=_SYSTEMD_UNIT,UNIT,MESSAGE,PRIORITY"
    try:
        answer = run(host, ("journalctl", "-q", "--no-pager", "-o", "json", fields, *kept, *named))
        return [msgspec.json.decode(line, type=Entry) for line in answer.splitlines()]
    except (HostError, msgspec.DecodeError):
        return []


def _write(beside: Path, host: str, unit: str, entries: Sequence[Entry]) -> Log | None:
    if not entries:
        return None
    kept = entries[-LINES:]
    path = Path(FOLDER) / f"{host}-{unit.removesuffix('.service')}.txt"
    (beside / FOLDER).mkdir(parents=True, exist_ok=True)
    (beside / path).write_text("".join(f"{entry.line()}\n" for entry in kept), encoding="utf-8")
    return Log(host=host, unit=unit, path=str(path), lines=len(kept), warnings=sum(entry.warns for entry in kept))
