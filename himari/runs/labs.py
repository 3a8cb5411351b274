"""Which lab is meant when a host is named alone."""

from pathlib import Path

from himari.lab.identity import known_labs
from himari.stack.errors import HostError
from himari.stack.paths import StateDir


def which_stack(host: str) -> str:
    """The stack of this checkout's only lab that has `host`. Raises HostError when there is none, or are several."""
    mine = [record for _, record in known_labs() if Path(record.state) == StateDir.of(record.stack).path.resolve()]
    stacks = [record.stack for record in mine if host in record.hosts]
    if len(stacks) == 1:
        return stacks[0]
    if stacks:
        raise HostError("several labs have this host", host, "one of them", f"--stack {' or --stack '.join(stacks)}")
    names = ", ".join(sorted({name for record in mine for name in record.hosts}))
    if not names:
        raise HostError("no lab of this checkout is up", host, "a lab that is up", "himari up lab-edge")
    raise HostError("no lab of this checkout has this host", host, f"one of {names}", "himari lab ls")
