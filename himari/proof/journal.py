"""What units of ours wrote to the journals of their hosts, the newest lines of each.

No secret can be in them: only Himari's own units and Redis are read, which have their secrets as files that systemd
gives them, and whatever is as long and as mixed as a key is struck out."""

import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import msgspec

from himari.proof.probe import Runner
from himari.stack.errors import HostError

LINES = 300  # of one unit, the newest
OURS = re.compile(r"(himari-[\w-]+|redis-server)\.service")
# Our own secrets and digests are hexadecimal, WireGuard's and TLS's keys base64: long, and in both cases.
KEY_LIKE = re.compile(r"[0-9a-fA-F]{24,}|(?=[\w+/=-]*[a-z])(?=[\w+/=-]*[A-Z])[\w+/=-]{24,}")
STRUCK = "[struck out]"
SECOND = 10**9

Units = Iterable[tuple[str, Iterable[str]]]  # a host, some of its units


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
    def at_ns(self) -> int:
        return int(self.at_us) * 1000

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(int(self.at_us) / 1e6, UTC)

    @property
    def warns(self) -> bool:
        return int(self.priority) <= 4

    @property
    def text(self) -> str:
        """The message, without what looks like a key."""
        text = self.message if isinstance(self.message, str) else "(not text)"
        return KEY_LIKE.sub(STRUCK, text)

    def line(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S.%f} {'! ' if self.warns else '  '}{self.text}"


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """From when until when, realtime nanoseconds; None: to the journal's end."""

    since_ns: int
    until_ns: int | None = None

    def argv(self) -> tuple[str, ...]:
        """journalctl's options, in whole seconds around it."""
        until = () if self.until_ns is None else (f"--until=@{-(-self.until_ns // SECOND)}",)
        return f"--since=@{self.since_ns // SECOND}", *until


def read(run: Runner, units: Units, period: Period) -> dict[str, list[Entry]]:
    """What units of ours among `units` logged in `period`, by host, in the order of time.

    A host that does not answer has none; its checks say why."""
    asked: dict[str, set[str]] = {}
    for host, names in units:
        asked.setdefault(host, set()).update(filter(OURS.fullmatch, names))
    with ThreadPoolExecutor(max(1, len(asked))) as pool:
        answers = pool.map(lambda host: _newest(run, host, sorted(asked[host]), period), asked)
        return dict(zip(asked, answers, strict=True))


def _newest(run: Runner, host: str, units: Sequence[str], period: Period) -> list[Entry]:
    if not units:
        return []
    try:
        found = _ask(run, host, units, period)
        if len(found) >= LINES * len(units):  # one that says much may have pushed out what others said
            found = [entry for unit in units for entry in _ask(run, host, (unit,), period)]
    except (HostError, msgspec.DecodeError):
        return []
    kept = [entry for unit in units for entry in [one for one in found if one.unit == unit][-LINES:]]
    return sorted(kept, key=lambda entry: entry.at_ns)


def _ask(run: Runner, host: str, units: Sequence[str], period: Period) -> list[Entry]:
    named = [word for unit in units for word in ("-u", unit)]
    bound = ("-n", str(LINES * len(units)), *period.argv())
    fields = "--output-fields=_SYSTEMD_UNIT,UNIT,MESSAGE,PRIORITY"
    answer = run(host, ("journalctl", "-q", "--no-pager", "-o", "json", fields, *bound, *named))
    return [msgspec.json.decode(line, type=Entry) for line in answer.splitlines()]
