"""The lab of a stack: up, down, and what it is right now. This is all that the rest of Himari calls."""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from himari.lab import cgroup, container, faults, network, orphans, preflight, reclaim
from himari.lab.identity import Lab, Record, all_labs, find_record
from himari.lab.lock import held
from himari.lab.rise import LabHostSpec, LabSpec, Report, Rise
from himari.lab.standing import Standing, standing
from himari.stack.known import KnownHost
from himari.stack.paths import StateDir

__all__ = [
    "LabHostSpec",
    "LabSpec",
    "LabStatus",
    "Report",
    "destroy",
    "enter",
    "exec_argv",
    "list_labs",
    "outside_address",
    "outside_argv",
    "power_off",
    "power_on",
    "remains",
    "up",
]


class LabStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One host of one lab, now."""

    lab: str
    stack: str
    host: str
    address: str
    state: str  # running, off, hung (held by a freezer)
    pid: int | None  # the guest's PID 1, as the machine counts
    memory_mb: int  # resident, all processes of the host
    faults: tuple[str, ...] = ()  # in force at the host, or on its way to another; only root is shown them
    orphan: str = ""  # why no stack's command reaches the lab
    elsewhere: str = ""  # the state folder, where another checkout's commands alone reach the lab


def up(spec: LabSpec, state: StateDir, report: Report) -> dict[str, KnownHost]:
    """Bring the lab up and return how each host is reached; hosts that run are left alone, all others are booted.

    Raises MachineError (this machine lacks something), LockedError (another run holds the lab), HostError (a host
    does not answer). Whatever it was doing when it was killed, the next `up` or `destroy` clears away."""
    preflight.require(preflight.look())
    lab = Lab.of(spec.stack_name, state)
    with held(lab.lock) as lock:
        return Rise(lab, spec, state, lock, report).run()


def destroy(stack_name: str, state: StateDir) -> list[str]:
    """Remove the lab and return what is left of it, which is nothing; repeatable, also after a killed `up`.

    Raises MachineError when a command or a process resists, LockedError when a run holds the lab."""
    preflight.require_root()
    lab = Lab.of(stack_name, state)
    with held(lab.lock) as lock:
        reclaim.everything(lab, lock)
        with held(network.machine_lock()):
            network.stop_forwarding()
        for path in (state.ssh / "id_ed25519", state.ssh / "id_ed25519.pub", state.ssh / "known_hosts"):
            path.unlink(missing_ok=True)
        lock.forget()
    return remains(stack_name, state)


def remains(stack_name: str, state: StateDir | None = None) -> list[str]:
    """Each process, mount, interface, namespace, cgroup, table and file of the stack's lab, a line each."""
    return reclaim.remains(_lab(stack_name, state))


def list_labs() -> list[LabStatus]:
    """All hosts of all labs on this machine, also of labs that do not say whose they are."""
    return [status for lab in all_labs() for status in _statuses(lab)]


def power_off(stack_name: str, host_name: str, state: StateDir | None = None) -> None:
    """Cut a host's power; its files stay as they were at that moment."""
    faults.power_off(standing(stack_name, state), host_name)


def power_on(stack_name: str, host_name: str, state: StateDir | None = None) -> None:
    """Boot a host that is off and wait for its ssh; a running one is left alone. Raises HostError."""
    faults.power_on(standing(stack_name, state), host_name)


def exec_argv(
    stack_name: str, host_name: str, command: Sequence[str], state: StateDir | None = None
) -> tuple[str, ...]:
    """The argv that runs `command` inside a host as root, without ssh. Raises HostError when it is off or unknown."""
    on = standing(stack_name, state)
    on.require_powered(host_name)
    return container.exec_argv(on.lab, host_name, command)


def enter(stack_name: str, host_name: str, state: StateDir | None = None) -> tuple[str, ...]:
    """The argv of a login shell inside a host. Raises HostError when it is off or unknown."""
    return exec_argv(stack_name, host_name, ("bash", "--login"), state)


def outside_argv(stack_name: str, command: Sequence[str], state: StateDir | None = None) -> tuple[str, ...]:
    """The argv that runs `command`, a program of this machine, from an address on the bridge that is no host's."""
    return ("ip", "netns", "exec", _lab(stack_name, state).outside, *command)


def outside_address(stack_name: str, state: StateDir | None = None) -> str:
    """The address that `outside_argv` comes from. Raises HostError when there is no such lab."""
    return network.address(standing(stack_name, state).record.subnet, network.OUTSIDE_BYTE)


def _host_names(lab: Lab) -> list[str]:
    record = find_record(lab)
    return list(record.hosts) if record else sorted(path.name for path in lab.hosts.glob("*")) or ["-"]


def _statuses(lab: Lab) -> list[LabStatus]:
    record = find_record(lab)
    seen = faults.active(Standing(lab, record, StateDir(Path(record.state)))) if record and not os.geteuid() else ()
    return [
        _status(lab, record, name, tuple(str(fault) for fault in seen if fault.host == name))
        for name in _host_names(lab)
    ]


def _status(lab: Lab, record: Record | None, name: str, faulty: tuple[str, ...]) -> LabStatus:
    stack, address = (record.stack, network.addresses(record)[name]) if record else ("", "")
    groups = container.groups_of(lab, name)
    pid = container.init_pid(lab, name)
    return LabStatus(
        lab=lab.id,
        stack=stack,
        host=name,
        address=address,
        state="off" if pid is None else "hung" if cgroup.frozen(groups) else "running",
        pid=pid,
        memory_mb=cgroup.resident_mb(groups),
        faults=faulty,
        orphan=orphans.why_orphaned(lab),
        elsewhere=_elsewhere(lab, record),
    )


def _elsewhere(lab: Lab, record: Record | None) -> str:
    return "" if record is None or Lab.of(record.stack, StateDir.of(record.stack)) == lab else record.state


def _lab(stack_name: str, state: StateDir | None) -> Lab:
    return Lab.of(stack_name, state or StateDir.of(stack_name))
