"""What the stack's units logged, as files beside the evidence: a text for each unit, a page for each host.

Each line of a page can be linked."""

import shutil
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import msgspec

from himari.proof.excerpts import HostLog, anchor
from himari.proof.journal import Entry, Period, Units, read
from himari.proof.markup import template
from himari.proof.probe import Runner

FOLDER = "logs"


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """A file of one unit's lines; paths are relative to the evidence."""

    host: str
    unit: str
    path: str
    lines: int
    warnings: int  # of them, at level warning or worse
    page: str = ""  # of all units of its host


class Logs(msgspec.Struct, frozen=True, kw_only=True):
    """What was written: the units' files and the hosts' pages."""

    files: list[Log]
    hosts: list[HostLog]


def collect(run: Runner, units: Units, period: Period, beside: Path, folder: str = FOLDER) -> Logs:
    """Write what units of hosts logged in `period` into `folder`, below the evidence's own folder `beside`.

    What was in it before is replaced. A host that does not answer has no logs; its checks say why."""
    shutil.rmtree(beside / folder, ignore_errors=True)
    files: list[Log] = []
    hosts: list[HostLog] = []
    for host, entries in read(run, units, period).items():
        if entries:
            (beside / folder).mkdir(parents=True, exist_ok=True)
            hosts.append(HostLog(host=host, path=f"{folder}/{host}.html", entries=entries))
            files += _texts(beside, folder, hosts[-1])
            (beside / hosts[-1].path).write_text(_page(hosts[-1], files), encoding="utf-8")
    return Logs(files=files, hosts=hosts)


def _texts(beside: Path, folder: str, log: HostLog) -> list[Log]:
    by_unit = groupby(sorted(log.entries, key=lambda entry: entry.unit), key=lambda entry: entry.unit)
    return [_text(beside, folder, log, unit, list(entries)) for unit, entries in by_unit]


def _text(beside: Path, folder: str, log: HostLog, unit: str, entries: Sequence[Entry]) -> Log:
    path = f"{folder}/{log.host}-{unit.removesuffix('.service')}.txt"
    (beside / path).write_text("".join(f"{entry.line()}\n" for entry in entries), encoding="utf-8")
    warnings = sum(entry.warns for entry in entries)
    return Log(host=log.host, unit=unit, path=path, lines=len(entries), warnings=warnings, page=log.path)


def _page(log: HostLog, files: Sequence[Log]) -> str:
    texts = [(file.unit, Path(file.path).name) for file in files if file.host == log.host]
    return template("log.html.j2", anchor=anchor).render(log=log, texts=texts)
