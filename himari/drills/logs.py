"""What the hosts logged while a drill went on, as pages beside the stack's evidence."""

import shutil
import time
from datetime import datetime

import msgspec

from himari.apply.feed import read_feed
from himari.drills.field import Field
from himari.drills.judge import Verdict
from himari.proof.evidence import DrillRecord, DrillWindow
from himari.proof.excerpts import MARGIN_NS, HostLog, of_period
from himari.proof.journal import Period, Units
from himari.proof.links import along
from himari.proof.logs import FOLDER, collect
from himari.proof.placement import placements, units_of
from himari.proof.probe import Runner
from himari.stack.known import read_known
from himari.stack.paths import StateDir

PREFIX = "drill-"


def with_logs(field: Field, run: Runner, verdict: Verdict) -> Verdict:
    """`verdict` with the lines of each drill's own time, which are written; a host that is silent has none."""
    stack, state = field.stack, field.state
    units = units_of(placements(stack, read_known(state.hosts), read_feed(state)))
    logs = [_logs(state, run, units, record) for record in verdict.records]
    records = [
        msgspec.structs.replace(record, logged=of_period(hosts, *_time_of(record)))
        for record, hosts in zip(verdict.records, logs, strict=True)
    ]
    return Verdict(records, _window(verdict.window, [host for hosts in logs for host in hosts]))


def _logs(state: StateDir, run: Runner, units: Units, record: DrillRecord) -> list[HostLog]:
    start_ns, end_ns = _time_of(record)
    period = Period(since_ns=start_ns - MARGIN_NS, until_ns=end_ns + MARGIN_NS)
    return collect(run, units, period, state.path, f"{FOLDER}/{_folder(record)}").hosts


def _folder(record: DrillRecord) -> str:
    """One for each time that a drill is run: a window that others share still links the lines of an earlier one."""
    return f"{PREFIX}{record.name}-{datetime.fromisoformat(record.started):%Y%m%d-%H%M%S}"


def drop_unlinked(state: StateDir) -> None:
    """Remove the logs of drills that the stack's evidence no longer links."""
    linked = state.evidence.read_text()
    for folder in (state.path / FOLDER).glob(f"{PREFIX}*"):
        if f"{FOLDER}/{folder.name}/" not in linked:
            shutil.rmtree(folder, ignore_errors=True)


def _window(window: DrillWindow | None, logs: list[HostLog]) -> DrillWindow | None:
    if window is None or window.course is None:
        return window
    return msgspec.structs.replace(window, course=along(window.course, logs))


def _time_of(record: DrillRecord) -> tuple[int, int]:
    """From its fault, or its beginning where none was made, until it was restored; else until it was given up."""
    begun_ns = int(datetime.fromisoformat(record.started).timestamp()) * 10**9
    marks = record.marks
    return marks.fail or begun_ns, marks.restored or marks.verified or time.time_ns()
