"""Which lab is meant when a host is named alone."""

import os
from pathlib import Path

from himari.lab import faults
from himari.lab.identity import Lab, Record, known_labs
from himari.stack.errors import HostError
from himari.stack.model import Stack
from himari.stack.paths import StateDir


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
    if not stack.is_lab or not Lab.of(stack.name, state).record.exists() or os.geteuid():
        return ()
    return tuple(map(str, faults.active(faults.standing(stack.name, state))))


def _mine() -> list[Record]:
    return [record for _, record in known_labs() if Path(record.state) == StateDir.of(record.stack).path.resolve()]


def _none_up(where: str) -> HostError:
    return HostError("no lab of this checkout is up", where, "a lab that is up", "himari up lab-edge")
