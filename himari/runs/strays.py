"""What is on hosts although the stack file does not ask for it any more: `up` leaves that alone, and says so."""

from collections.abc import Iterator
from shlex import quote

from himari.runs.put import Put, asked_for, departed, read_put
from himari.ssh import connection
from himari.stack.errors import HostError
from himari.stack.known import Known
from himari.stack.model import Stack
from himari.stack.paths import StateDir

TIMEOUT_S = 60.0
LOOK = """for unit in {units}; do
  if systemctl is-active -q "$unit" || systemctl is-enabled -q "$unit" 2>/dev/null; then echo "unit $unit"; fi
done
for path in {files}; do [ ! -e "$path" ] || echo "file $path"; done"""


def departed_says(stack: Stack, known: Known) -> tuple[str, ...]:
    """A sentence for each host that was met and left the file: what runs there, and what to do about it."""
    way = f"put it back, or let himari destroy {stack.name} strip it with all the others"
    return tuple(
        f"{name}: left the stack file, and what was put there runs on: {way}" for name in departed(stack, known)
    )


def strays(stack: Stack, known: Known, state: StateDir) -> tuple[str, ...]:
    """Hosts, and units and files of roles, that left the file; a sentence each, with what to do.

    Only a host on which more was put than the file asks for is asked. Raises HostError when it cannot be."""
    noted = read_put(state)
    over = {name: noted[name] - asked_for(stack, known, name) for name in stack.hosts if name in {*noted} & {*known}}
    found = [line for name, put in over.items() if put != Put() for line in _there(name, put, known, state)]
    return (*departed_says(stack, known), *found)


def _there(name: str, put: Put, known: Known, state: StateDir) -> Iterator[str]:
    units, files = (" ".join(map(quote, named)) for named in (put.units, put.files))
    there = connection.reach(name, known, state)
    script = LOOK.format(units=units, files=files)
    seen = there.run(there.as_root(f"sh -c {quote(script)}"), timeout=TIMEOUT_S)
    if seen.code:
        raise HostError(f"what a role has left there cannot be seen: {seen.err.strip()}", name)
    for line in seen.out.splitlines():
        kind, _, what = line.partition(" ")
        way = f"systemctl disable --now {what}" if kind == "unit" else f"rm {what}"
        yield f"{name}: {line} is there, and the stack file does not ask for it any more: on the host, {way}"
