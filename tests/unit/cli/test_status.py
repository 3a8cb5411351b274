"""The table of `himari status` tells whose memory it shows."""

import pytest

from himari.cli.status import show_status
from himari.runs.status import Disk, HostStatus, Memory, Probe, StackStatus

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
