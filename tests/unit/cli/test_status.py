"""The table of `himari status` tells whose memory it shows."""

import msgspec
import pytest

from himari.cli.status import show_status
from himari.runs.status import Certificate, Disk, HostStatus, LoggedError, Memory, Probe, StackStatus, UnitState
from himari.stack.cutover_note import CutoverNote, Stage

PROBE = Probe(
    units=(),
    cpu_percent=(3.0, 97.0),
    memory=Memory(total_mb=24064, available_mb=22528),
    disk=Disk(folder="/", total_bytes=10**11, free_bytes=5 * 10**10),
)
SHARED = "are this machine's"


def told(*, shared: bool) -> StackStatus:
    hosts = tuple(HostStatus(host=name, probe=PROBE, wrong=()) for name in ("edge", "brain"))
    return StackStatus(stack="lab-edge", ok=True, hosts=hosts, shared=shared)


def test_hosts_of_a_lab_show_the_machine_that_they_share(capsys: pytest.CaptureFixture[str]) -> None:
    show_status(told(shared=True))
    shown = capsys.readouterr().out
    assert "22.0 of 23.5 GB" in shown
    assert SHARED in shown.splitlines()[-1]


def test_hosts_of_their_own_show_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    show_status(told(shared=False))
    assert SHARED not in capsys.readouterr().out


def logged(*, collector: str, wrong: tuple[str, ...]) -> StackStatus:
    """A host whose collector is as said and whose consumer is well; both have logged an error."""
    units = [
        UnitState(name=name, active=active, sub="", result="success", restarts=0)
        for name, active in (("himari-collector.service", collector), ("himari-consumer.service", "active"))
    ]
    errors = [LoggedError(unit=unit.name, at="2026-11-21T10:00:00+00:00", says="no route") for unit in units]
    probe = msgspec.structs.replace(PROBE, units=tuple(units), errors=tuple(errors))
    host = HostStatus(host="edge", probe=probe, wrong=wrong)
    return StackStatus(stack="lab-edge", ok=not wrong, hosts=(host,))


def test_what_was_logged_is_told_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    show_status(logged(collector="active", wrong=()))
    lines = capsys.readouterr().out.splitlines()[-2:]
    assert lines[0] == "edge, logged earlier: 2026-11-21T10:00:00+00:00 himari-collector.service: no route"
    assert lines[1] == "edge, logged earlier: 2026-11-21T10:00:00+00:00 himari-consumer.service: no route"


def test_what_a_unit_logged_that_is_well_is_no_reason(capsys: pytest.CaptureFixture[str]) -> None:
    show_status(logged(collector="failed", wrong=("himari-collector.service is failed",)))
    shown = capsys.readouterr().out
    assert "logged earlier: 2026-11-21T10:00:00+00:00 himari-collector.service: no route" in shown
    assert "himari-consumer.service: no route" not in shown
    assert shown.splitlines()[-1] == "lab-edge is unwell, exit code 7"


def test_after_a_rollback_it_says_who_is_in_charge_and_counts_nothing_as_down(
    capsys: pytest.CaptureFixture[str],
) -> None:
    unit = UnitState(
        name="himari-consumer.service", active="inactive", sub="dead", result="success", restarts=0, enabled="disabled"
    )
    note = CutoverNote(stage=Stage.BACK, at="2026-11-21T10:00:00+00:00", unit="old.service")
    probe = msgspec.structs.replace(PROBE, units=(unit,), cutover=note)
    show_status(StackStatus(stack="tokyo", ok=True, hosts=(HostStatus(host="brain", probe=probe, wrong=()),)))
    shown = capsys.readouterr().out
    assert shown.splitlines()[-1] == "brain: rolled back: old.service is in charge"
    assert "DOWN" not in shown


def test_each_certificate_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    held = tuple(Certificate(name=name, days_left=left) for name, left in (("features.pem", 364.6), ("ca.pem", 3649.2)))
    host = HostStatus(host="core", probe=msgspec.structs.replace(PROBE, certificates=held), wrong=())
    show_status(StackStatus(stack="lab", ok=True, hosts=(host,)))
    rows = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if ".pem" in line]
    assert [row[0] for row in rows] == ["features.pem", "ca.pem"]
    assert [row[1].strip() for row in rows] == ["365 days left", "3649 days left"]
