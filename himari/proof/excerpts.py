"""Which lines of the logs tell of what: of a unit whose check failed, of a gap, of a drill. Pure."""

from collections.abc import Iterable, Sequence

import msgspec

from himari.proof.journal import Entry

MARGIN_NS = 1_000_000_000  # what ends a connection is told a moment later


class Excerpt(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of one host's log; `path` is relative to the evidence, numbers are those of the page's lines."""

    host: str
    path: str
    first: int
    last: int
    lines: int  # between them, those of other units not counted where it is of one
    unit: str = ""  # of all, where it is of none
    warnings: int = 0
    warning: int | None = None  # the first of them

    @property
    def says(self) -> str:
        return f"line {self.first}" if self.first == self.last else f"lines {self.first} to {self.last}"

    def link(self, line: int) -> str:
        """Where `line` is, as the evidence page links it."""
        return f"{self.path}#{anchor(line)}"


class HostLog(msgspec.Struct, frozen=True, kw_only=True):
    """All that a host's units logged, in the order of time; line 1 is the first."""

    host: str
    path: str  # of its page
    entries: Sequence[Entry]


def anchor(line: int) -> str:
    """The name of a line on a log's page."""
    return f"L{line}"


def of_period(logs: Iterable[HostLog], start_ns: int, end_ns: int) -> list[Excerpt]:
    """What each host logged from a moment before `start_ns` until one after `end_ns` (realtime)."""
    found = (_excerpt(log, start_ns - MARGIN_NS, end_ns + MARGIN_NS, "") for log in logs)
    return [one for one in found if one]


def of_units(logs: Iterable[HostLog], host: str, units: Iterable[str], start_ns: int, end_ns: int) -> list[Excerpt]:
    """What each of `units` logged on `host` from `start_ns` to `end_ns` (realtime); nothing for one that was silent."""
    found = [_excerpt(log, start_ns, end_ns, unit) for log in logs if log.host == host for unit in units]
    return [one for one in found if one]


def _excerpt(log: HostLog, start_ns: int, end_ns: int, unit: str) -> Excerpt | None:
    chosen = [
        (number, entry)
        for number, entry in enumerate(log.entries, 1)
        if start_ns <= entry.at_ns <= end_ns and unit in ("", entry.unit)
    ]
    if not chosen:
        return None
    warnings = [number for number, entry in chosen if entry.warns]
    return Excerpt(
        host=log.host,
        path=log.path,
        first=chosen[0][0],
        last=chosen[-1][0],
        lines=len(chosen),
        unit=unit.removesuffix(".service"),
        warnings=len(warnings),
        warning=warnings[0] if warnings else None,
    )
