"""Which lab is meant when a host is named alone."""

import os
from pathlib import Path

from himari.lab import faults
from himari.lab.identity import Lab, Record, known_labs
from himari.stack.errors import HostError
from himari.stack.model import Stack
from himari.stack.paths import StateDir

# By the fault that keeps a host from answering, what the host does and the verb that ends it.
SILENCING = {"power-off": ("the host is off", "power-on"), "hang": ("the host hangs", "heal")}


def only_stack() -> str:
    """The stack of this checkout's only lab. Raises HostError when there is none, or are several."""
    stacks = [record.stack for record in _mine()]
    if len(stacks) == 1:
        return stacks[0]
    if stacks:
        raise HostError("several labs are up", "this checkout", "one of them", f"--stack {' or --stack '.join(stacks)}")
    raise _none_up("this checkout")


def which_stack(host: str) -> str:
    """The stack of this checkout's only lab that has `host`. Raises HostError when there is none, or are several."""
    mine = _mine()
    stacks = [record.stack for record in mine if host in record.hosts]
    if len(stacks) == 1:
        return stacks[0]
    if stacks:
        raise HostError("several labs have this host", host, "one of them", f"--stack {' or --stack '.join(stacks)}")
    names = ", ".join(sorted({name for record in mine for name in record.hosts}))
    if not names:
        raise _none_up(host)
    raise HostError("no lab of this checkout has this host", host, f"one of {names}", "himari lab ls")


def faults_in_force(stack: Stack, state: StateDir) -> tuple[str, ...]:
    """The faults of the stack's lab that `himari lab heal` would end, in words; none for a stack without a lab."""
    return tuple(map(str, _in_force(stack, state)))


def silenced(stack: Stack, state: StateDir) -> dict[str, HostError]:
    """The hosts that a fault of the stack's lab keeps from answering, each with the error that tells what ends it."""
    found = [one for one in _in_force(stack, state) if one.kind in SILENCING]
    return {one.host: _silenced(one) for one in found}


def refuse_silenced(stack: Stack, state: StateDir) -> None:
    """Raise HostError when a fault of the stack's lab keeps one of its hosts from answering."""
    for error in silenced(stack, state).values():
        raise error


def _silenced(fault: faults.Fault) -> HostError:
    what, ended_by = SILENCING[fault.kind]
    return HostError(what, fault.host, "a running host", f"himari lab {ended_by} {fault.host}")


def _in_force(stack: Stack, state: StateDir) -> tuple[faults.Fault, ...]:
    if not stack.is_lab or not Lab.of(stack.name, state).record.exists() or os.geteuid():
        return ()
    return faults.active(faults.standing(stack.name, state))


def _mine() -> list[Record]:
    return [record for _, record in known_labs() if Path(record.state) == StateDir.of(record.stack).path.resolve()]


def _none_up(where: str) -> HostError:
    return HostError("no lab of this checkout is up", where, "a lab that is up", "himari up lab-edge")
