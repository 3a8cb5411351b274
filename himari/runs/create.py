"""The hosts themselves: a lab's are made, those that exist are taken as the stack file names them."""

import msgspec

from himari.catalog.component import View
from himari.lab import lab
from himari.lab.identity import Lab
from himari.runs.plan import components
from himari.runs.progress import Report
from himari.runs.steps import Outcome
from himari.stack.errors import StackFileError
from himari.stack.known import KnownHost, read_known, write_known
from himari.stack.model import Provider, Stack
from himari.stack.network import cloud_note
from himari.stack.paths import StateDir

CREATE = "create"  # the step's name


def create(stack: Stack, state: StateDir, report: Report) -> Outcome:
    """Make the hosts of a lab and note how they are reached. Raises MachineError, HostError."""
    names = lab_hosts(stack)
    if not names:
        return Outcome(says="these hosts exist already")
    own = Lab.of(stack.name, state).id  # another checkout may have a lab of this stack, too
    before = {one.host for one in lab.list_labs() if one.lab == own and one.state == "running"}
    made = lab.up(lab_spec(stack), state, report)
    known = read_known(state.hosts)
    write_known(state.hosts, {**known, **{name: kept(known.get(name), host) for name, host in made.items()}})
    return Outcome(changed=tuple(f"{name}: booted" for name in names if name not in before))


def refuse_clouds(stack: Stack) -> None:
    """Raise StackFileError for hosts that cannot be created yet."""
    for name in stack.hosts:
        if note := cloud_note(stack, name):
            raise StackFileError(note, f"hosts.{name}.provider", "lab or static", "rent it by hand, then say static")


def lab_hosts(stack: Stack) -> tuple[str, ...]:
    """The hosts that a lab makes."""
    return tuple(name for name, host in stack.hosts.items() if host.provider is Provider.LAB)


def lab_spec(stack: Stack) -> lab.LabSpec:
    """The lab of `stack`; its image carries the packages of all its hosts."""
    names = lab_hosts(stack)
    parts = [part for name in names for part in components(View(stack=stack, host_name=name))]
    packages = sorted({package.name for part in parts for package in part.packages})
    hosts = tuple(lab.LabHostSpec(name=name, disk_gb=stack.hosts[name].disk_gb or 0) for name in names)
    return lab.LabSpec(stack_name=stack.name, hosts=hosts, packages=tuple(packages))


def kept(known: KnownHost | None, made: KnownHost) -> KnownHost:
    """What is known of a host once its lab has `made` it: one that was left alone still has the key that it made."""
    if known is None or known.ssh_host_key != made.ssh_host_key:
        return made
    return msgspec.structs.replace(made, wireguard_public_key=known.wireguard_public_key)
