"""Reads a ledger back: what was sent in a window of time."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from himari_exchange.ledger import file_start_ns, ledger_files

Event = tuple[str, str, int, int, str]  # key, digest, sent_ns, line, "ws" or "rest"


class LineSpan(msgspec.Struct):
    """One line's life; `closed_ns` is null while it is open, at the end of the window that was asked for."""

    line: int
    opened_ns: int
    closed_ns: int | None = None


class Statement(msgspec.Struct):
    """A window of the ledger; `first_ns` and `last_ns` are null when no event is in it."""

    first_ns: int | None
    last_ns: int | None
    lines: list[LineSpan]
    events: list[Event]
    orders: list[dict[str, Any]]


def read_statement(folder: Path, from_ns: int, to_ns: int) -> Statement:
    """Everything in [from_ns, to_ns]; lines that were open at any time in it, as they were at its end."""
    events: list[Event] = []
    orders: list[dict[str, Any]] = []
    spans: dict[int, LineSpan] = {}
    for entry in _entries(_files_of(folder, from_ns, to_ns)):
        first, rest = entry.split(" ", 1)
        if first.isdigit():
            if from_ns <= int(first) <= to_ns:
                events.append(_event(int(first), rest))
        elif first == "order":
            at, said = rest.split(" ", 1)
            if from_ns <= int(at) <= to_ns:
                orders.append({**msgspec.json.decode(said), "at_ns": int(at)})
        else:
            _follow(spans, first, [int(number) for number in rest.split()])
    open_then = [
        _until(to_ns, span)
        for span in spans.values()
        if span.opened_ns <= to_ns and (span.closed_ns or to_ns) >= from_ns
    ]
    sent = [event[2] for event in events]
    return Statement(min(sent, default=None), max(sent, default=None), open_then, events, orders)


def _until(to_ns: int, span: LineSpan) -> LineSpan:
    """What was to be seen of it then."""
    later = span.closed_ns is not None and span.closed_ns > to_ns
    return LineSpan(span.line, span.opened_ns) if later else span


def _event(sent_ns: int, rest: str) -> Event:
    line, how, key, content = rest.split(" ")
    return key, content, sent_ns, int(line), how


def _follow(spans: dict[int, LineSpan], verb: str, numbers: list[int]) -> None:
    if verb == "open":
        spans.setdefault(numbers[1], LineSpan(numbers[1], numbers[0]))
    elif verb == "close" and numbers[1] in spans:
        spans[numbers[1]].closed_ns = numbers[0]
    elif verb == "start":
        for span in spans.values():
            span.closed_ns = span.closed_ns or numbers[0]


def _files_of(folder: Path, from_ns: int, to_ns: int) -> list[Path]:
    """The files that can hold entries of the window, and those after it, which may close its lines."""
    files = ledger_files(folder)
    older = [index for index, path in enumerate(files) if file_start_ns(path) <= from_ns]
    return files[older[-1] if older else 0 :]


def _entries(files: list[Path]) -> Iterator[str]:
    for path in files:
        # The simulator drops its oldest file whenever it needs the room.
        with suppress(FileNotFoundError), path.open() as file:
            for entry in file:
                if entry.endswith("\n"):
                    yield entry[:-1]
