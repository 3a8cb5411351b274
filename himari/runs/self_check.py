"""Runs on a host, by a timer, in the runtime's environment: looks and judges as `himari status` does, with the same
modules, and leaves the verdict for it.

Arguments: daily or weekly, the settings (JSON: Asked), the folder of the verdicts. Beyond the daily look the weekly one
reads back what the host's store took in last."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from himari.runs import status_probe
from himari.runs.status import CONSUMER, Probe
from himari.runs.verdict import judge
from himari.stack.model import Retention

WEEKLY = "weekly"
READ_BACK_NS = 600 * 10**9  # of the newest records: reading all of a week would hold up what comes in
READ_BACK_S = 120.0


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What to look at, as `status_probe` is told it, and how long records may wait for their file."""

    host: str
    wanted: dict[str, Any]
    retention: Retention


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a look found; `at` in seconds since 1970."""

    name: str
    at: float
    wrong: tuple[str, ...]


class ReadBack(msgspec.Struct, frozen=True, kw_only=True):
    """What the runtime's digest says of records that were read back."""

    records: int
    duplicates: int
    unparsed: int


def look(name: str, asked: Asked) -> Verdict:
    """Look once."""
    probe = msgspec.convert(status_probe.look(asked.wanted), Probe)
    wrong = [*judge(asked.host, probe, asked.retention).wrong]
    # A store that a rollback put aside took nothing in since.
    if name == WEEKLY and CONSUMER not in probe.aside:
        wrong += _unreadable(asked.wanted)
    return Verdict(name=name, at=time.time(), wrong=tuple(wrong))


def _unreadable(wanted: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the newest records of each store on this host."""
    now = time.time_ns()
    window = ["--from-ns", str(now - READ_BACK_NS), "--to-ns", str(now)]
    for service in wanted["health"]:
        argv = [wanted["runtime"], "digest", "--json", "--settings", service["settings"], *window]
        said = status_probe.as_service(wanted["credstore"], service, argv, READ_BACK_S)
        yield from judge_read_back(service["user"], said)


def judge_read_back(store: str, said: str) -> Iterator[str]:
    """What is wrong with a store of which the digest says `said`."""
    try:
        found = msgspec.json.decode(said, type=ReadBack)
    except msgspec.DecodeError:
        yield f"the newest records of {store} cannot be read back"
        return
    if not found.records:
        yield f"{store} has no record of the last {READ_BACK_NS // 10**9} s"
    if found.duplicates:
        yield f"{store} holds {found.duplicates} records twice"
    if found.unparsed:
        yield f"{store} holds {found.unparsed} frames that nobody could read"


def main(name: str, settings: Path, folder: Path) -> None:
    """Write the verdict, whole or not at all; what is wrong goes to the journal as well."""
    verdict = look(name, msgspec.json.decode(settings.read_bytes(), type=Asked))
    draft = folder / f"{name}.new"
    draft.write_bytes(msgspec.json.encode(verdict))
    draft.replace(folder / f"{name}.json")
    sys.stderr.writelines(f"{what}\n" for what in verdict.wrong or ("nothing is wrong",))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
